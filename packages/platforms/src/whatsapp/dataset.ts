import type { InboundReply, OutboundRequest, PlatformEndpoints } from '@relay/contract';
import { asList, asObject, readJson } from '../http/json.ts';
import { payloadOf } from '../management/errors.ts';
import { appSecretProof, authMembers, DEFAULT_COOLDOWN_MS, readMetaRefusal, waitHintMs, type MetaRefusal } from '../meta/index.ts';

/**
 * The dataset of a WhatsApp Business Account: an account has at most one. Ask first, then create; creating answers with the
 * existing one where another caller was faster.
 * https://developers.facebook.com/documentation/ads-commerce/conversions-api/business-messaging (read 2026-09-12)
 */

/** `GET /{version}/{waba}/dataset`. The token goes into a header: the address ends up in the logs of proxies. */
export function datasetGetRequest(wabaId: string, accessToken: string, endpoints: PlatformEndpoints): OutboundRequest {
  const proof = endpoints.metaAppSecret === undefined ? '' : `?appsecret_proof=${appSecretProof(accessToken, endpoints.metaAppSecret)}`;
  return { method: 'GET', url: `${edgeOf(wabaId, endpoints)}${proof}`, headers: { accept: 'application/json', authorization: `Bearer ${accessToken}` }, body: undefined };
}

/** `POST /{version}/{waba}/dataset`, with nothing in it but who calls. */
export function datasetCreateRequest(wabaId: string, accessToken: string, endpoints: PlatformEndpoints): OutboundRequest {
  return {
    method: 'POST',
    url: edgeOf(wabaId, endpoints),
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: `{${authMembers(accessToken, endpoints.metaAppSecret)}}`,
  };
}

function edgeOf(wabaId: string, { metaGraphUrl, metaGraphVersion }: PlatformEndpoints): string {
  return `${metaGraphUrl}/${metaGraphVersion}/${encodeURIComponent(wabaId)}/dataset`;
}

export interface DatasetTrouble {
  /** HTTP status of the answer. */
  readonly status: number;
  /** What the platform said, as it said it, but for the access token: parsed JSON, or the beginning of what is none. */
  readonly platformError: unknown;
  /** What to do about it, where the cause is known. */
  readonly fix: string | undefined;
  /** `100`, `190/463`, `http_502`. */
  readonly code: string;
  /** Masked, at most 500 characters. */
  readonly message: string;
}

export type DatasetReply =
  | { readonly kind: 'found'; readonly datasetId: string }
  /** Only ever of a GET. */
  | { readonly kind: 'none' }
  /** For good, until someone does something about it. */
  | ({ readonly kind: 'refused' } & DatasetTrouble)
  /** May pass by itself. Both calls are safe to repeat. */
  | ({ readonly kind: 'retry'; readonly reason: 'rate_limited' | 'unavailable'; /** The platform's own hint. */ readonly afterMs: number | undefined } & DatasetTrouble);

/**
 * What either call's answer means: an edge's list, or a bare object. Total.
 * @param accessToken of the call, should Meta quote it.
 */
export function readDatasetReply(reply: InboundReply, accessToken: string): DatasetReply {
  const refusal = readMetaRefusal(reply);
  if (refusal !== undefined) return readRefusal(reply, refusal, accessToken);
  const body = asObject(readJson(reply.body));
  const listed = body?.['data'];
  if (Array.isArray(listed) && listed.length === 0) return { kind: 'none' };
  const datasetId = idOf(body) ?? asList(listed).map(idOf).find((id) => id !== undefined);
  if (datasetId !== undefined) return { kind: 'found', datasetId };
  return {
    kind: 'retry',
    reason: 'unavailable',
    afterMs: undefined,
    status: reply.status,
    platformError: payloadOf(reply, accessToken),
    fix: undefined,
    code: 'unreadable_reply',
    message: `Meta answered ${reply.status} without a dataset id.`,
  };
}

function readRefusal(reply: InboundReply, refusal: MetaRefusal, accessToken: string): DatasetReply {
  const { code, message } = refusal.said;
  const trouble = { status: reply.status, platformError: payloadOf(reply, accessToken), fix: fixFor(refusal), code, message };
  switch (refusal.class) {
    case 'app_limit':
    case 'account_limit':
      return { kind: 'retry', reason: 'rate_limited', afterMs: waitHintMs(reply) ?? DEFAULT_COOLDOWN_MS, ...trouble };
    case 'retry':
      return { kind: 'retry', reason: 'unavailable', afterMs: waitHintMs(reply), ...trouble };
    case 'blocked':
    case 'auth':
    case 'event':
    case 'destination':
    case 'account':
    case 'operator':
    case 'too_large':
      return { kind: 'refused', ...trouble };
  }
}

/** Digits, so that the id can stand in a path; some gateways turn ids into numbers. */
function idOf(value: unknown): string | undefined {
  const id = asObject(value)?.['id'];
  const text = typeof id === 'number' && Number.isSafeInteger(id) ? String(id) : id;
  return typeof text === 'string' && /^\d{5,20}$/.test(text) ? text : undefined;
}

function fixFor({ class: errorClass, error }: MetaRefusal): string | undefined {
  if (errorClass === 'app_limit' || errorClass === 'account_limit') return error?.code === 80008 ? TOO_MANY_CALLS : LIMITED;
  if (error === undefined) return undefined;
  if (error.isAboutProof) return PROOF_WRONG;
  const byCode = FIX_BY_CODE.get(error.code ?? 0);
  if (byCode !== undefined) return byCode;
  if (errorClass === 'auth') return PERMISSION_MISSING;
  if (errorClass === 'destination') return ACCOUNT_UNKNOWN;
  return errorClass === 'event' && error.code === 100 ? BUSINESS_UNVERIFIED : undefined;
}

const BUSINESS_UNVERIFIED =
  'The usual cause is that the business that owns the WhatsApp Business Account is not verified: complete business verification in Meta Business Settings (Security Centre), then call again.';
const PERMISSION_MISSING =
  'The access token lacks a permission, usually whatsapp_business_manage_events (beside whatsapp_business_management): grant it to the app, make a new system user token with both, and reconnect the account with it (PATCH /v1/admin/accounts/{id}, credentials.accessToken).';
const TOKEN_DEAD = 'The access token is expired, revoked or malformed: reconnect the account with a new system user token (PATCH /v1/admin/accounts/{id}, credentials.accessToken).';
const ACCOUNT_UNKNOWN =
  'Check the id of the WhatsApp Business Account: there is none of this id, or the token may not see it. Assign it to the system user of the token, then call again.';
const TOO_MANY_CALLS = 'Meta allows 200 management calls an hour per app and WhatsApp Business Account (5,000 once it has active numbers): wait, then call again; calling earlier prolongs the limit.';

const LIMITED = 'Wait, then call again; calling earlier prolongs the limit.';
const PROOF_WRONG = 'Set META_APP_SECRET to the secret of the app that the access token belongs to.';

const FIX_BY_CODE: ReadonlyMap<number, string> = new Map([
  [190, TOKEN_DEAD],
  [102, TOKEN_DEAD],
  [3, 'The app lacks a capability: get advanced access to whatsapp_business_manage_events for it in Meta App Review, then call again.'],
  [2635, 'Set META_GRAPH_VERSION to a version that Meta still serves.'],
]);
