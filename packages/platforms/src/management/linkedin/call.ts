import type { InboundReply, OutboundRequest } from '@relay/contract';
import { asCode, asList, asObject, asText, readJson, type JsonObject } from '../../http/json.ts';
import { retryAfterMs } from '../../http/retry-after.ts';
import { DAY_LIMIT, VERSION_HEADER, classOf, type CodeClass } from '../../linkedin/codes.ts';
import type { LinkedinCredentials } from '../../linkedin/index.ts';
import { REPEATABLE, type CallTraits, type ManagementContext } from '../context.ts';
import { PlatformCallError, guided, payloadOf, unreadable, type PlatformCallKind } from '../errors.ts';
import { allPages, type Listing, type Page } from '../gather.ts';
import { restliQuery, type RestliValue } from './restli.ts';

export type LinkedinContext = ManagementContext<LinkedinCredentials>;

export interface LinkedinRequest {
  readonly method: OutboundRequest['method'];
  /** Below `/rest/`, ids in it already encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, RestliValue | undefined>>;
  /** Parameters that are no Rest.li values, such as `fields`. */
  readonly rawQuery?: string;
  readonly body?: unknown;
  /** `X-RestLi-Method`, where the HTTP method alone does not say it. */
  readonly restliMethod?: 'PARTIAL_UPDATE';
  readonly traits?: CallTraits;
}

/** The answer, if it is 2xx. */
export async function linkedinCall(ctx: LinkedinContext, request: LinkedinRequest): Promise<InboundReply> {
  const query = [restliQuery(request.query ?? {}), request.rawQuery ?? ''].filter((part) => part !== '').join('&');
  const reply = await ctx.call(
    {
      method: request.method,
      url: `${ctx.endpoints.linkedinApiUrl}/rest/${request.path}${query === '' ? '' : `?${query}`}`,
      headers: {
        authorization: `Bearer ${ctx.accessToken}`,
        'content-type': 'application/json',
        'linkedin-version': ctx.endpoints.linkedinVersion,
        'x-restli-protocol-version': '2.0.0',
        ...(request.restliMethod !== undefined && { 'x-restli-method': request.restliMethod }),
      },
      body: request.body === undefined ? undefined : JSON.stringify(request.body),
    },
    request.traits ?? REPEATABLE,
  );
  if (reply.status < 200 || reply.status > 299) throw linkedinCallError(reply, ctx.accessToken);
  return reply;
}

export async function linkedinJson(ctx: LinkedinContext, request: LinkedinRequest): Promise<JsonObject> {
  const reply = await linkedinCall(ctx, request);
  const body = asObject(readJson(reply.body));
  if (body === undefined) throw unreadable('linkedinads', reply, ctx.accessToken, 'a JSON object');
  return body;
}

export const PAGE_SIZE = 100;

/** A finder that pages by `start` and `count`. `total` may be -1, so the short page is the last. */
export function pagedByStart(ctx: LinkedinContext, path: string, query: Readonly<Record<string, RestliValue>>): Listed {
  return allPages(path, async (cursor) => {
    const start = Number(cursor ?? 0);
    const body = await linkedinJson(ctx, { method: 'GET', path, query: { ...query, start, count: PAGE_SIZE } });
    const items = elementsOf(body);
    return { items, next: items.length < pageSizeOf(body) ? undefined : String(start + items.length) };
  });
}

/** A page is full by what the answer says it holds: LinkedIn may give fewer than were asked for. `total` can be -1. */
function pageSizeOf(body: JsonObject): number {
  const count = asObject(body['paging'])?.['count'];
  return typeof count === 'number' && count > 0 ? Math.min(count, PAGE_SIZE) : PAGE_SIZE;
}

/** A finder whose paging is not published: asked as documented, then followed by what its answers say of further pages. */
export function pagedAsTold(ctx: LinkedinContext, path: string, query: Readonly<Record<string, RestliValue>>): Listed {
  return allPages(path, async (cursor): Promise<Page<JsonObject>> => {
    const at = cursor === undefined ? {} : (JSON.parse(cursor) as PagePosition);
    const body = await linkedinJson(ctx, { method: 'GET', path, query: { ...query, ...at } });
    const next = nextOf(body, Number(at.start ?? 0));
    return { items: elementsOf(body), next: next === undefined ? undefined : JSON.stringify(next) };
  });
}
type Listed = Promise<Listing<JsonObject>>;
type PagePosition = Readonly<Partial<Record<'pageToken' | 'start' | 'count', string>>>;

/** By the page token, the link, or, where there is neither, the numbers of the answer. */
function nextOf(body: JsonObject, askedStart: number): PagePosition | undefined {
  const pageToken = asText(asObject(body['metadata'])?.['nextPageToken']);
  if (pageToken !== undefined) return { pageToken };
  const paging = asObject(body['paging']) ?? {};
  const links = asList(paging['links']).map(asObject);
  const href = asText(links.find((link) => link?.['rel'] === 'next')?.['href']);
  return href === undefined ? nextByNumbers(paging, asList(body['elements']).length, askedStart) : positionIn(href);
}

/** Only the numbers of the link are used: where it leads is ours to say. */
function positionIn(href: string): PagePosition | undefined {
  const start = /[?&]start=(\d{1,9})(?:&|$)/.exec(href)?.[1];
  const count = /[?&]count=(\d{1,9})(?:&|$)/.exec(href)?.[1];
  return start === undefined ? undefined : { start, ...(count !== undefined && { count }) };
}

/** There is more before `total`; where that is not told (or -1), after a full page. An answer for another `start` than was asked for does not page. */
function nextByNumbers(paging: JsonObject, items: number, askedStart: number): PagePosition | undefined {
  const { start: toldStart, count, total } = paging;
  if (typeof count !== 'number' || count <= 0 || items === 0) return undefined;
  if (typeof toldStart === 'number' && toldStart !== askedStart) return undefined;
  const start = askedStart + items;
  const hasMore = typeof total === 'number' && total >= 0 ? start < total : items >= count;
  return hasMore ? { start: String(start), count: String(count) } : undefined;
}

export function elementsOf(body: JsonObject): readonly JsonObject[] {
  return asList(body['elements']).map(asObject).filter((element) => element !== undefined);
}

/**
 * By status first, as LinkedIn's codes are few. Bodies on record: `rudderlabs/rudder-transformer`
 * `test/integrations/destinations/linkedin_ads/network.ts`; codes: `linkedin/codes.ts`.
 */
export function linkedinCallError(reply: InboundReply, accessToken: string): PlatformCallError {
  const body = asObject(readJson(reply.body));
  const message = asText(body?.['message']) ?? '';
  const kind = kindOf(reply.status, body, message);
  const waitSeconds = retryAfterSeconds(kind, reply, message);
  return new PlatformCallError({
    platform: 'linkedinads',
    kind,
    code: codeOf(body) ?? (body === undefined ? 'unreadable_reply' : `http_${reply.status}`),
    message: guided('LinkedIn', kind, message || `It answered with status ${reply.status} and no message.`),
    platformError: payloadOf(reply, accessToken),
    traceId: reply.headers['x-li-uuid'],
    // Also for the codes of a revoked token: it may have been replaced meanwhile.
    refreshable: kind === 'unauthorised',
    ...(waitSeconds !== undefined && { retryAfterSeconds: waitSeconds }),
  });
}

function codeOf(body: JsonObject | undefined): string | undefined {
  return asCode(body?.['code']) ?? asCode(body?.['serviceErrorCode']);
}

const KIND_BY_STATUS: Readonly<Record<number, PlatformCallKind>> = {
  401: 'unauthorised',
  403: 'permission',
  404: 'not_found',
  409: 'conflict',
  426: 'config',
  429: 'rate_limited',
};

const KIND_BY_CODE: Readonly<Record<CodeClass, PlatformCallKind>> = {
  token: 'unauthorised',
  permission: 'permission',
  version: 'config',
  event: 'invalid',
};

/** What a status says by itself, whoever gave it. */
const BODILESS: ReadonlySet<PlatformCallKind> = new Set(['unauthorised', 'rate_limited', 'config']);

function kindOf(status: number, body: JsonObject | undefined, message: string): PlatformCallKind {
  const kind = KIND_BY_STATUS[status];
  // Without LinkedIn's envelope something on the way answered, which says nothing about rule or account.
  if (body === undefined) return kind !== undefined && BODILESS.has(kind) ? kind : 'unavailable';
  if (kind !== undefined) return kind;
  if (status >= 500 || status === 408 || status === 425) return 'unavailable';
  const codeClass = classOf(asCode(body['code']) ?? '') ?? classOf(asCode(body['serviceErrorCode']) ?? '') ?? 'event';
  return codeClass === 'event' && VERSION_HEADER.test(message) ? 'config' : KIND_BY_CODE[codeClass];
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Limits of a day are reset at midnight UTC; the others count by the minute. */
function retryAfterSeconds(kind: PlatformCallKind, reply: InboundReply, message: string): number | undefined {
  const hintMs = retryAfterMs(reply.headers, reply.receivedAtMs);
  if (kind === 'rate_limited') {
    const untilMidnightMs = DAY_MS - (reply.receivedAtMs % DAY_MS);
    return Math.ceil((hintMs ?? (DAY_LIMIT.test(message) ? untilMidnightMs : 60_000)) / 1000);
  }
  return kind === 'unavailable' && hintMs !== undefined ? Math.ceil(hintMs / 1000) : undefined;
}
