import type { SandboxCore } from '../core/types.ts';
import { listed } from '../meta/access.ts';
import { BAD_CLICK, BAD_EVENT_NAME, KEY_NOT_ALLOWED, NO_ACCOUNT_LINKED, NO_IDENTITY, NO_ORDER_CURRENCY, NO_PAGE_LINKED, NO_VALUE, WRONG_PAGE } from '../meta/errors.ts';
import type { EventFault } from '../meta/errors.ts';
import { isAbsent, isObject } from '../meta/kinds.ts';
import type { Json } from '../meta/kinds.ts';
import { SEED } from '../seed.ts';
import type { Click, WhatsappWorld } from './world.ts';

/** What a dataset belongs to: made for a WhatsApp Business Account, linked to a Page, or a website's pixel. */
type DatasetLink = { readonly kind: 'account'; readonly wabaId: string } | { readonly kind: 'page'; readonly pageId: string } | { readonly kind: 'none' };

export interface MessagingScene {
  readonly link: DatasetLink;
  readonly takesTestClid: boolean;
  clickOf(ctwaClid: string): Click | undefined;
}

export function messagingScene(datasetId: string, core: SandboxCore, world: WhatsappWorld): MessagingScene {
  return { link: linkOf(datasetId, core, world), takesTestClid: core.switchOf<boolean>('meta.testClid', false), clickOf: world.clickOf };
}

function linkOf(datasetId: string, core: SandboxCore, world: WhatsappWorld): DatasetLink {
  const wabaId = world.accountOf(datasetId);
  if (wabaId !== undefined) return { kind: 'account', wabaId };
  const isPages = listed(core.switchOf<string>('meta.pageDatasets', '')).includes(datasetId);
  return isPages ? { kind: 'page', pageId: SEED.meta.whatsapp.pageId } : { kind: 'none' };
}

/** https://developers.facebook.com/documentation/ads-commerce/conversions-api/business-messaging; every other name is refused. */
const EVENT_NAMES: ReadonlySet<unknown> = new Set([
  'Purchase', 'LeadSubmitted', 'InitiateCheckout', 'AddToCart', 'ViewContent', 'OrderCreated', 'OrderShipped', 'OrderDelivered',
  'OrderCanceled', 'OrderReturned', 'CartAbandoned', 'QualifiedLead', 'RatingProvided', 'ReviewProvided',
]);
/** Names of which a missing currency is known to be refused, or nearly so. */
const ORDER_NAMES: ReadonlySet<unknown> = new Set(['Purchase', 'OrderCreated']);
const FORBIDDEN_KEYS = ['fbc', 'fbp', 'client_ip_address', 'client_user_agent'] as const;

const NOTHING: Json = {};

/**
 * What is asked of a messaging event beyond its shape. Known of the order: name, then link of the account, then currency.
 * Several of the rules have one source only; the README says which are guesses.
 */
export function messagingFault(event: Json, scene: MessagingScene): EventFault | undefined {
  const user = event['user_data'] as Json;
  const custom = isObject(event['custom_data']) ? event['custom_data'] : NOTHING;
  return nameFault(event['event_name']) ?? keyFault(user) ?? linkFault(user, scene.link) ?? clickFault(user, scene) ?? moneyFault(event['event_name'], custom);
}

function nameFault(name: unknown): EventFault | undefined {
  if (EVENT_NAMES.has(name)) return undefined;
  return { subcode: BAD_EVENT_NAME, text: `The event name "${String(name)}" is not supported for messaging events.` };
}

function keyFault(user: Json): EventFault | undefined {
  const key = FORBIDDEN_KEYS.find((forbidden) => !isAbsent(user[forbidden]));
  return key === undefined ? undefined : { subcode: KEY_NOT_ALLOWED, text: `The user parameter "${key}" is not allowed for messaging events.` };
}

const isEmpty = (value: unknown) => isAbsent(value) || value === '';

/** Each identifier that is sent has to fit the dataset; what Meta makes of both at once is not known. */
function linkFault(user: Json, link: DatasetLink): EventFault | undefined {
  const { whatsapp_business_account_id: wabaId, page_id: pageId } = user;
  if (isEmpty(wabaId) && isEmpty(pageId)) return { subcode: NO_IDENTITY, text: 'Either page_id or whatsapp_business_account_id is required for messaging events.' };
  if (!isEmpty(wabaId) && !(link.kind === 'account' && link.wabaId === wabaId)) {
    return { subcode: NO_ACCOUNT_LINKED, text: 'There is no WhatsApp Business Account associated with the dataset.' };
  }
  if (!isEmpty(pageId) && link.kind !== 'page') return { subcode: NO_PAGE_LINKED, text: 'There is no Page associated with the dataset.' };
  return undefined;
}

function clickFault(user: Json, { takesTestClid, clickOf }: MessagingScene): EventFault | undefined {
  const { ctwa_clid: clid, whatsapp_business_account_id: wabaId, page_id: pageId } = user;
  if (takesTestClid && clid === 'TEST') return undefined;
  const click = typeof clid === 'string' ? clickOf(clid) : undefined;
  if (click === undefined || (!isEmpty(wabaId) && click.wabaId !== wabaId)) return { subcode: BAD_CLICK, text: 'The ctwa_clid of this messaging event is not valid.' };
  if (!isEmpty(pageId) && click.pageId !== pageId) return { subcode: WRONG_PAGE, text: 'The page_id is not the Page of the ad that was clicked.' };
  return undefined;
}

function moneyFault(name: unknown, custom: Json): EventFault | undefined {
  if (name === 'Purchase' && isAbsent(custom['value'])) return { subcode: NO_VALUE, text: 'Your purchase event needs a value parameter.' };
  if (ORDER_NAMES.has(name) && isAbsent(custom['currency'])) return { subcode: NO_ORDER_CURRENCY, text: 'Your messaging event needs a currency parameter.' };
  return undefined;
}
