import { aDestination, aToken, anEvent, ingest } from '../google/testkit.ts';
import type { Json, Stage } from '../google/testkit.ts';
import { SEED } from '../seed.ts';

/** Builders for the tests of this folder; the stage is that of the Google emulator, which serves both APIs. */
export { NOW_MS, aStage } from '../google/testkit.ts';
export type { Json, Stage } from '../google/testkit.ts';

export const ACTION = `customers/${SEED.google.customerId}/conversionActions/111`;
export const WEBPAGE = `customers/${SEED.google.customerId}/conversionActions/201`;
export const HASH = '62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f';

export type Headers = Readonly<Record<string, string | undefined>>;

export interface AdsReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly json: Json;
}

/** A header set to `undefined` is not sent. */
export async function call(stage: Stage, path: string, { body, headers = {} }: { readonly body?: unknown; readonly headers?: Headers } = {}): Promise<AdsReply> {
  const all: Headers = {
    authorization: 'authorization' in headers ? undefined : `Bearer ${await aToken(stage)}`,
    'developer-token': SEED.google.developerToken,
    'login-customer-id': SEED.google.loginCustomerId,
    'content-type': 'application/json',
    ...headers,
  };
  const present = Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
  const reply = await stage.app.inject({
    method: body === undefined ? 'GET' : 'POST',
    url: `/google/ads/${path}`,
    headers: present,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: reply.statusCode, headers: reply.headers, json: reply.json() };
}

export const CUSTOMER = `v24/customers/${SEED.google.customerId}`;
export const ACTION_QUERY =
  'SELECT conversion_action.id, conversion_action.resource_name, conversion_action.name, conversion_action.type, conversion_action.status, ' +
  'conversion_action.category, conversion_action.primary_for_goal, conversion_action.counting_type, conversion_action.owner_customer, ' +
  "conversion_action.value_settings.default_value, conversion_action.tag_snippets FROM conversion_action WHERE conversion_action.status != 'REMOVED'";

export const search = async (stage: Stage, query = ACTION_QUERY, more: Json = {}) => call(stage, `${CUSTOMER}/googleAds:search`, { body: { query, ...more } });

export const create = async (stage: Stage, action: Json, more: Json = {}) =>
  call(stage, `${CUSTOMER}/conversionActions:mutate`, { body: { operations: [{ create: { name: 'New', type: 'UPLOAD_CLICKS', ...action } }], ...more } });

export const anAdjustment = (change: Json = {}): Json => ({
  conversionAction: ACTION,
  adjustmentType: 'RETRACTION',
  adjustmentDateTime: '2026-11-20 14:00:00+00:00',
  orderId: 'seed-order-1',
  ...change,
});

export const adjust = async (stage: Stage, rows: readonly Json[], more: Json = {}) =>
  call(stage, `${CUSTOMER}:uploadConversionAdjustments`, { body: { conversionAdjustments: rows, partialFailure: true, ...more } });

/** Sends one conversion through the Data Manager. */
export const aConversion = async (stage: Stage, event: Json = {}, destination: Json = {}) =>
  ingest(stage, { destinations: [aDestination(destination)], events: [anEvent(event)], encoding: 'HEX' });

interface Failure {
  readonly errors: readonly { readonly errorCode: Json; readonly location?: { readonly fieldPathElements: readonly Json[] }; readonly details?: Json; readonly trigger?: Json }[];
  readonly requestId: string;
}

/** The `GoogleAdsFailure` of a refused request, or of the rows that failed. */
export function failureIn(json: Json): Failure {
  const holder = (json['error'] ?? json['partialFailureError']) as { readonly details?: readonly Json[] } | undefined;
  const detail = holder?.details?.find((entry) => String(entry['@type']).endsWith('.errors.GoogleAdsFailure'));
  return (detail ?? { errors: [], requestId: '' }) as unknown as Failure;
}

/** `quotaError.RESOURCE_EXHAUSTED` and the like, in order. */
export const codesIn = (json: Json): readonly string[] => failureIn(json).errors.map(({ errorCode }) => Object.entries(errorCode).map(([category, code]) => `${category}.${String(code)}`).join());
