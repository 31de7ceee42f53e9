import { asCode, asList, asObject, asText, type JsonObject } from '../../http/json.ts';
import { ONCE } from '../context.ts';
import { PlatformCallError } from '../errors.ts';
import type { Listing } from '../gather.ts';
import { compareIds } from '../management.ts';
import { adsCall, adsSearch, type GoogleContext } from './call.ts';

export interface TagSnippet {
  /** `WEBPAGE`, …: Google's TrackingCodeType. */
  readonly type: string;
  readonly pageFormat?: string;
  readonly globalSiteTag?: string;
  readonly eventSnippet?: string;
}

/** In the client's shape, but for the resource name. */
export interface AdsConversionAction {
  readonly resourceName: string;
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly status: string;
  readonly category: string;
  readonly tagSnippets: readonly TagSnippet[];
}

const FIELDS = ['resource_name', 'id', 'name', 'type', 'status', 'category'];

/** Without those that were removed. Snippets are kilobytes each, so they are read only where they are wanted. */
export async function searchActions(
  ctx: GoogleContext,
  customerId: string,
  { snippets, actionId }: { readonly snippets: boolean; readonly actionId?: string },
): Promise<Listing<AdsConversionAction>> {
  const fields = [...FIELDS, ...(snippets ? ['tag_snippets'] : [])].map((field) => `conversion_action.${field}`).join(', ');
  const one = actionId !== undefined && /^\d+$/.test(actionId) ? ` AND conversion_action.id = ${actionId}` : '';
  const query = `SELECT ${fields} FROM conversion_action WHERE conversion_action.status != 'REMOVED'${one}`;
  const { items, warnings } = await adsSearch(ctx, customerId, query);
  const actions = items.map((row) => readAction(asObject(row['conversionAction']))).filter((action) => action !== undefined);
  return { items: actions.filter(({ status }) => status !== 'REMOVED').sort((left, right) => compareIds(left.id, right.id)), warnings };
}

function readAction(action: JsonObject | undefined): AdsConversionAction | undefined {
  const resourceName = asText(action?.['resourceName']);
  if (action === undefined || resourceName === undefined) return undefined;
  const id = asCode(action['id']) ?? resourceName.slice(resourceName.lastIndexOf('/') + 1);
  return {
    resourceName,
    id,
    name: asText(action['name']) ?? id,
    type: asText(action['type']) ?? 'UNKNOWN',
    status: asText(action['status']) ?? 'UNKNOWN',
    category: asText(action['category']) ?? 'UNKNOWN',
    tagSnippets: asList(action['tagSnippets']).map(asObject).filter((snippet) => snippet !== undefined).map(readSnippet),
  };
}

function readSnippet(snippet: JsonObject): TagSnippet {
  const pageFormat = asText(snippet['pageFormat']);
  const globalSiteTag = asText(snippet['globalSiteTag']);
  const eventSnippet = asText(snippet['eventSnippet']);
  return {
    type: asText(snippet['type']) ?? 'UNKNOWN',
    ...(pageFormat !== undefined && { pageFormat }),
    ...(globalSiteTag !== undefined && { globalSiteTag }),
    ...(eventSnippet !== undefined && { eventSnippet }),
  };
}

/** What a conversion action is made of. `type` cannot be changed later. */
export interface NewAction {
  readonly name: string;
  readonly type: 'UPLOAD_CLICKS' | 'WEBPAGE';
  readonly category: string;
  readonly countingType?: string;
  /** Always said: Google's own default is true, which would steer bidding at once. */
  readonly primaryForGoal: boolean;
  readonly valueSettings?: { readonly defaultValue?: number; readonly alwaysUseDefaultValue: boolean };
}

/** The resource name of what was made. */
export async function createAction(ctx: GoogleContext, customerId: string, action: NewAction): Promise<string> {
  const body = { operations: [{ create: { ...action, status: 'ENABLED' } }], responseContentType: 'MUTABLE_RESOURCE' };
  const answer = await adsCall(ctx, `customers/${customerId}/conversionActions:mutate`, body, ONCE);
  const resourceName = asText(asObject(asList(answer['results'])[0])?.['resourceName']);
  if (resourceName !== undefined) return resourceName;
  throw new PlatformCallError({
    platform: 'googleads',
    kind: 'unavailable',
    code: 'unreadable_reply',
    message: 'Google Ads did not name the conversion action that it made.',
    platformError: answer,
  });
}
