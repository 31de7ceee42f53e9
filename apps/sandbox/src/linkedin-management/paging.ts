import { badRequest, integerParam, textParam } from './call.ts';
import type { Call } from './call.ts';

const DEFAULT_COUNT = 10;
const DEFAULT_PAGE_SIZE = 100;
const MAX_SEARCH_PAGE_SIZE = 1000;

/** A finder's page by `start` and `count`; the total may be unknown, which is said as -1. */
export function startPage(call: Call, items: readonly unknown[], { totalKnown, most }: { readonly totalKnown: boolean; readonly most: number }) {
  const { pageSizeClamp, pagingLinks } = call.settings;
  const start = integerParam(call, 'start', 0);
  const asked = integerParam(call, 'count', DEFAULT_COUNT);
  if (asked > most) throw badRequest(`Invalid value for parameter 'count': at most ${most}`, 'PARAM_INVALID');
  const count = pageSizeClamp > 0 ? Math.min(asked, pageSizeClamp) : asked;
  const elements = items.slice(start, start + count);
  // As Rest.li does it: without a total a full page promises another one.
  const more = totalKnown ? start + count < items.length : elements.length === count && count > 0;
  const links = more && pagingLinks ? [{ type: 'application/json', rel: 'next', href: `/rest/${call.path}?${queryWith(call, start + count, count)}` }] : [];
  return { paging: { start, count, links, total: totalKnown ? items.length : -1 }, elements };
}

function queryWith({ query }: Call, start: number, count: number): string {
  const kept = [...query].filter(([name]) => name !== 'start' && name !== 'count').map(([name, value]) => `${name}=${value}`);
  return [...kept, `start=${start}`, `count=${count}`].join('&');
}

/** A search's page: by `pageSize` and `pageToken` since 202401, before that by `start` and `count`. */
export function searchPage(call: Call, items: readonly unknown[]) {
  if (call.settings.searchPaging === 'start') return startPage(call, items, { totalKnown: true, most: MAX_SEARCH_PAGE_SIZE });
  for (const name of ['start', 'count']) {
    if (call.query.has(name)) throw badRequest(`Invalid query parameter '${name}': use pageSize and pageToken`, 'QUERY_PARAM_NOT_ALLOWED');
  }
  const { pageSizeClamp } = call.settings;
  const asked = integerParam(call, 'pageSize', DEFAULT_PAGE_SIZE);
  if (asked < 1 || asked > MAX_SEARCH_PAGE_SIZE) throw badRequest(`Invalid value for parameter 'pageSize': 1 to ${MAX_SEARCH_PAGE_SIZE}`, 'PARAM_INVALID');
  const size = pageSizeClamp > 0 ? Math.min(asked, pageSizeClamp) : asked;
  const start = offsetIn(textParam(call, 'pageToken'), call.path);
  const more = start + size < items.length;
  return {
    elements: items.slice(start, start + size),
    metadata: more ? { nextPageToken: Buffer.from(`${call.path} ${start + size}`).toString('base64url') } : {},
  };
}

function offsetIn(token: string | undefined, path: string): number {
  if (token === undefined) return 0;
  const [from, offset] = Buffer.from(token, 'base64url').toString().split(' ');
  if (from !== path || !/^\d+$/.test(offset ?? '')) throw badRequest("Invalid value for parameter 'pageToken'", 'PARAM_INVALID');
  return Number(offset);
}
