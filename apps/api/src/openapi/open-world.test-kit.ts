import { PLATFORMS, whatsappMessaging } from '@relay/platforms';
import type { Conversation } from '@relay/delivery';
import { z } from 'zod';
import { anAccount, fakeAccounts, T0 } from '../testing/fake-accounts.ts';
import { anApiKey, fakeApiKeys } from '../testing/fake-api-keys.ts';
import { aDeadLetter, fakeDeadLetters } from '../testing/fake-dead-letters.ts';
import { aDelivery, fakeDeliveries } from '../testing/fake-deliveries.ts';
import { fakeUpstream, type Scripted } from '../testing/fake-upstream.ts';
import { fakeConversations } from '../testing/fake-whatsapp.ts';
import { openApi } from '../testing/open-api.ts';

/** Stands in everything that a foreign key must not see. */
export const PLANTED = 'planted-secret';

const aConversation: Conversation = {
  id: 'conv_1',
  accountId: 'acc_wa',
  phoneE164: '4915112345678',
  ctwa: { ctwa_clid: PLANTED, ctwa_captured_at: new Date(T0 - 3_600_000).toISOString() },
  createdAtMs: T0,
  updatedAtMs: T0,
};

/** All that the document's examples speak of, over fakes. `platform.answer` is what the platforms say. */
export async function openWorld(over: Parameters<typeof openApi>[0] = {}) {
  const platform: { answer: (line: string) => Scripted } = { answer: answerWell };
  const send = fakeUpstream((line) => platform.answer(line));
  const deliveries = fakeDeliveries();
  const stored = { accountId: 'acc_meta', destinationId: PLANTED, eventIds: ['order-4711'] };
  deliveries.rows.set('dlv_0mhyk3q80a1b2c3d4e5f', aDelivery({ deliveryId: 'dlv_0mhyk3q80a1b2c3d4e5f', ...stored }));
  deliveries.rows.set('dlv_wa', aDelivery({ ...stored, deliveryId: 'dlv_wa', accountId: 'acc_wa', platform: 'whatsapp', conversationId: 'conv_1' }));
  deliveries.events.set('acc_meta order-4711', [
    { deliveryId: 'dlv_0mhyk3q80a1b2c3d4e5f', eventIndex: 0, destinationId: PLANTED, status: 'delivered', code: undefined, message: undefined, acceptedAtMs: T0 },
  ]);
  const deadLetters = fakeDeadLetters([aDeadLetter({ id: 'dl_mhyk3q80a1b2c3d4e5f', message: PLANTED })]);
  const accounts = fakeAccounts([
    anAccount({ id: 'acc_meta', metadata: { shop: PLANTED } }),
    anAccount({ id: 'acc_google', platform: 'googleads', credentials: { clientId: 'client', clientSecret: 'secret-of-google', refreshToken: 'refresh-of-google', accessToken: 'token-of-google' } }),
    anAccount({ id: 'acc_linkedin', platform: 'linkedinads', credentials: { accessToken: 'token-of-linkedin', scopes: ['rw_conversions', 'r_ads'] } }),
    anAccount({ id: 'acc_wa', platform: 'whatsapp', metadata: { wabaId: '200', phoneNumberId: '300', metaCapiDatasetId: '900000000000977', shop: PLANTED } }),
    anAccount({ id: 'acc_wa_bare', platform: 'whatsapp' }),
  ]);
  const apiKeys = fakeApiKeys([
    anApiKey({ id: 'root' }),
    anApiKey({ id: 'foreign', accounts: ['acc_elsewhere'] }),
    anApiKey({ id: 'powerless', scopes: [] }),
    anApiKey({ id: 'key_shop', name: PLANTED, accounts: ['acc_meta'] }),
  ]);
  const conversations = fakeConversations([aConversation]);
  const api = await openApi({ accounts, apiKeys, deliveries, deadLetters, enqueue: deliveries.enqueue, conversations, send, platforms: { ...PLATFORMS, whatsapp: whatsappMessaging }, ...over });
  return { ...api, accounts, apiKeys, deliveries, deadLetters, conversations, platform, send };
}

const RULE = { id: 50001, name: PLANTED, type: 'PURCHASE', enabled: true, conversionMethod: 'CONVERSIONS_API', account: 'urn:li:sponsoredAccount:500000001', campaigns: ['urn:li:sponsoredCampaign:700000001'] };
const ACTION = { resourceName: 'customers/1234567890/conversionActions/987654321', id: '987654321', name: 'Checkout', type: 'WEBPAGE', status: 'ENABLED', category: 'PURCHASE' };

/** What the platforms answer when all is well. */
export function answerWell(line: string): Scripted {
  if (line.includes('adAccountUsers')) return { body: { elements: [{ account: 'urn:li:sponsoredAccount:500000001' }] } };
  if (line.includes('/conversions?q=account')) return { body: { elements: [RULE] } };
  if (line.startsWith('POST /rest/conversions/')) return { status: 204, body: '' };
  if (line.startsWith('POST /rest/conversions')) return { status: 201, headers: { 'x-restli-id': '50077' } };
  if (line.includes('/campaignConversions')) return { body: { results: { '(campaign:urn%3Ali%3AsponsoredCampaign%3A700000001,conversion:x)': { status: 204, associatedAt: T0 } } } };
  if (line.includes('/adAnalytics')) return { body: { elements: [{ pivotValues: ['urn:lla:llaPartnerConversion:50001'], externalWebsiteConversions: 3, costInLocalCurrency: '1.5' }] } };
  if (line.includes('/rest/conversions/')) return { body: RULE };
  if (line.includes('dataset_quality')) return { body: { web: [{ event_name: 'Purchase', event_match_quality: { composite_score: 8 } }] } };
  if (line.includes(':mutate')) return { body: { results: [{ resourceName: ACTION.resourceName }] } };
  if (line.includes('googleAds:search')) return { body: { results: [{ conversionAction: ACTION }] } };
  if (line.includes('/dataset')) return { body: { data: [{ id: '900000000000900' }] } };
  return { body: { data: [] } };
}

/** A part of the document, as far as the tests read it. */
export interface DocumentedOperation {
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly operation: {
    readonly parameters?: readonly { readonly in: string; readonly name: string; readonly required?: boolean; readonly schema: object; readonly example?: string }[];
    readonly requestBody?: { readonly required?: boolean; readonly content: Content };
    readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
  };
}
export type Content = Readonly<Record<string, { readonly schema: object; readonly example?: unknown; readonly examples?: Readonly<Record<string, { readonly value: unknown }>> }>>;

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation['operation']>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

export async function readDocument() {
  await using api = await openApi();
  const document = (await api.call('GET', '/openapi.json')).body as unknown as Document;
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): DocumentedOperation => ({ name: `${method.toUpperCase()} ${path}`, method: method.toUpperCase() as DocumentedOperation['method'], path, operation })),
  );
  const local = (value: object): object => JSON.parse(JSON.stringify(value).replaceAll('#/components/schemas/', '#/$defs/')) as object;
  const $defs = local(document.components.schemas);
  return {
    operations,
    /** Why a value does not fit a schema of the document; `undefined`: it does. */
    faultOf(schema: object, value: unknown): string | undefined {
      const { success, error } = z.fromJSONSchema({ ...local(schema), $defs } as never).safeParse(value);
      return success ? undefined : z.prettifyError(error);
    },
  };
}

/** The request that an operation's examples make. */
export interface ExampleRequest {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export function exampleRequest({ operation }: DocumentedOperation): ExampleRequest {
  const of = (place: string) =>
    Object.fromEntries((operation.parameters ?? []).flatMap((parameter) => (parameter.in === place && parameter.example !== undefined ? [[parameter.name, parameter.example]] : [])));
  return { path: of('path'), query: of('query'), headers: of('header'), body: operation.requestBody?.content['application/json']?.example };
}

export function urlOf({ path }: DocumentedOperation, request: ExampleRequest): string {
  const filled = path.replace(/\{(\w+)\}/g, (_whole, name: string) => encodeURIComponent(request.path[name] ?? ''));
  const query = new URLSearchParams(request.query).toString();
  return query === '' ? filled : `${filled}?${query}`;
}
