import type { InboundReply } from '@relay/contract';
import { asList, asObject, readJson } from '../http/json.ts';
import { boundedHint, retryAfterMs } from '../http/retry-after.ts';

/** Where Meta gives no hint. The shortest block that it documents for the Marketing API is 60 s. */
export const DEFAULT_COOLDOWN_MS = 60_000;

/**
 * The longest wait that any header asks for, in ms, at most a day; `undefined` if none does. Units differ: minutes, seconds, seconds.
 * https://developers.facebook.com/docs/graph-api/overview/rate-limiting and
 * https://developers.facebook.com/documentation/ads-commerce/marketing-api/overview/rate-limiting (read 2026-09-12)
 */
export function waitHintMs({ headers, receivedAtMs }: Pick<InboundReply, 'headers' | 'receivedAtMs'>): number | undefined {
  const hints = [
    ...businessRegainMinutes(headerJson(headers, 'x-business-use-case-usage')).map((minutes) => minutes * 60_000),
    numberIn(headerJson(headers, 'x-ad-account-usage'), 'reset_time_duration') * 1000,
    retryAfterMs(headers, receivedAtMs) ?? 0,
  ].filter((hint) => hint > 0);
  return hints.length === 0 ? undefined : boundedHint(Math.max(...hints));
}

/** Whether the app as a whole is at its limit: percentages of `X-App-Usage`, throttled at 100. */
export function isAppExhausted(headers: InboundReply['headers']): boolean {
  const usage = headerJson(headers, 'x-app-usage');
  return ['call_count', 'total_time', 'total_cputime'].some((key) => numberIn(usage, key) >= 100);
}

/** `{"<business id>": [{"estimated_time_to_regain_access": minutes}, …], …}`, up to 32 entries. */
function businessRegainMinutes(usage: unknown): readonly number[] {
  return Object.values(asObject(usage) ?? {})
    .slice(0, 32)
    .flatMap((entries) => asList(entries).slice(0, 32))
    .map((entry) => numberIn(entry, 'estimated_time_to_regain_access'));
}

function headerJson(headers: InboundReply['headers'], name: string): unknown {
  const text = headers[name];
  return text === undefined ? undefined : readJson(text);
}

/** `NaN` for what is no number: it is greater than nothing. */
function numberIn(record: unknown, key: string): number {
  const value = asObject(record)?.[key];
  return typeof value === 'number' ? value : Number.NaN;
}
