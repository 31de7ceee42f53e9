import type { InboundReply } from '@relay/contract';
import { asList, asObject, asText, readJson, type JsonObject } from '../../http/json.ts';
import { DEFAULT_COOLDOWN_MS, appSecretProof, readMetaRefusal, waitHintMs, type MetaCredentials, type MetaRefusal } from '../../meta/index.ts';
import { REPEATABLE, type ManagementContext } from '../context.ts';
import { PlatformCallError, guided, payloadOf, unreadable, type PlatformCallKind } from '../errors.ts';
import { allPages, type Listing } from '../gather.ts';

export type MetaContext = ManagementContext<MetaCredentials>;

/** Code 368, a block for a policy violation: asking again quickly prolongs it. */
const BLOCKED_SECONDS = 3600;
/** Graph pages by 25 unless asked. With nested edges more than this gets "reduce the amount of data" in practice. */
export const PAGE_SIZE = 50;

/** `GET /{version}/{path}`. The token goes into a header, which no proxy logs; the app's proof is a parameter. */
export async function graphGet(ctx: MetaContext, path: string, parameters: Readonly<Record<string, string>>): Promise<JsonObject> {
  const { metaGraphUrl, metaGraphVersion, metaAppSecret } = ctx.endpoints;
  const query = new URLSearchParams(parameters);
  if (metaAppSecret !== undefined) query.set('appsecret_proof', appSecretProof(ctx.accessToken, metaAppSecret));
  const reply = await ctx.call(
    {
      method: 'GET',
      url: `${metaGraphUrl}/${metaGraphVersion}/${path}?${query.toString()}`,
      headers: { authorization: `Bearer ${ctx.accessToken}`, accept: 'application/json' },
      body: undefined,
    },
    REPEATABLE,
  );
  const refusal = readMetaRefusal(reply);
  if (refusal !== undefined) throw metaCallError(refusal, reply, ctx.accessToken);
  const body = asObject(readJson(reply.body));
  if (body === undefined) throw unreadable('metaads', reply, ctx.accessToken, 'a JSON object');
  return body;
}

/** All of an edge: `{"data": […], "paging": {"cursors": {"after"}, "next"?}}`. The last page has no `next`. */
export function graphList(ctx: MetaContext, path: string, fields: string, from?: string): Promise<Listing<JsonObject>> {
  return allPages(path, async (cursor) => {
    const after = cursor ?? from;
    const body = await graphGet(ctx, path, { fields, limit: String(PAGE_SIZE), ...(after !== undefined && { after }) });
    return { items: objectsIn(body['data']), next: nextCursor(body) };
  });
}

export function objectsIn(value: unknown): readonly JsonObject[] {
  return asList(value).map(asObject).filter((entry) => entry !== undefined);
}

/** Of an edge, also of one nested in another's answer. `next` itself is not followed: it carries the token in its query. */
export function nextCursor(edge: JsonObject): string | undefined {
  const paging = asObject(edge['paging']);
  return asText(paging?.['next']) === undefined ? undefined : asText(asObject(paging?.['cursors'])?.['after']);
}

function metaCallError(refusal: MetaRefusal, reply: InboundReply, accessToken: string): PlatformCallError {
  const kind = kindOf(refusal, reply.status);
  return new PlatformCallError({
    platform: 'metaads',
    kind,
    code: refusal.said.code,
    message: guided('Meta', kind, refusal.said.message),
    platformError: payloadOf(reply, accessToken),
    traceId: refusal.said.traceId,
    retryAfterSeconds: retryAfterSeconds(refusal, reply),
  });
}

/** Of the Dataset Quality API: the dataset does not exist. It is not among the codes of sending. */
const NO_DATASET = 2044055;

const KINDS: Readonly<Record<MetaRefusal['class'], PlatformCallKind>> = {
  app_limit: 'rate_limited',
  account_limit: 'rate_limited',
  retry: 'unavailable',
  blocked: 'unavailable',
  auth: 'unauthorised',
  destination: 'not_found',
  account: 'invalid',
  event: 'invalid',
  too_large: 'invalid',
  operator: 'config',
};

function kindOf({ class: errorClass, error }: MetaRefusal, status: number): PlatformCallKind {
  if (error?.subcode === NO_DATASET || error?.code === NO_DATASET) return 'not_found';
  return errorClass === 'auth' && isPermission(error?.code, status) ? 'permission' : KINDS[errorClass];
}

/** Codes 10 and 200 to 299: the token lives, but lacks a permission. */
function isPermission(code: number | undefined, status: number): boolean {
  return code === undefined ? status === 403 : code === 10 || (code >= 200 && code <= 299);
}

function retryAfterSeconds(refusal: MetaRefusal, reply: InboundReply): number | undefined {
  const hintMs = waitHintMs(reply);
  if (refusal.class === 'blocked') return Math.max(BLOCKED_SECONDS, Math.ceil((hintMs ?? 0) / 1000));
  const kind = KINDS[refusal.class];
  if (kind === 'rate_limited') return Math.ceil((hintMs ?? DEFAULT_COOLDOWN_MS) / 1000);
  return kind === 'unavailable' && hintMs !== undefined ? Math.ceil(hintMs / 1000) : undefined;
}
