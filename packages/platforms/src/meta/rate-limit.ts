import type { InboundReply } from '@relay/contract';

/** Where Meta gives no hint. The shortest block that it documents for the Marketing API is 60 s. */
export const DEFAULT_COOLDOWN_MS = 60_000;
/** A hint beyond a day is a broken one. */
const MAX_HINT_MS = 86_400_000;

/**
 * The longest wait that any header asks for, in ms; `undefined` if none does. Units differ: minutes, seconds, seconds.
 * https://developers.facebook.com/docs/graph-api/overview/rate-limiting and
 * https://developers.facebook.com/documentation/ads-commerce/marketing-api/overview/rate-limiting (read 2026-09-12)
 */
export function waitHintMs({ headers, receivedAtMs }: Pick<InboundReply, 'headers' | 'receivedAtMs'>): number | undefined {
  const hints = [
    ...businessRegainMinutes(headers['x-business-use-case-usage']).map((minutes) => minutes * 60_000),
    secondsOf(jsonOf(headers['x-ad-account-usage']), 'reset_time_duration') * 1000,
    retryAfterMs(headers['retry-after'], receivedAtMs),
  ].filter((hint) => Number.isFinite(hint) && hint > 0);
  return hints.length === 0 ? undefined : Math.min(Math.ceil(Math.max(...hints)), MAX_HINT_MS);
}

/** Whether the app as a whole is at its limit: percentages of `X-App-Usage`, throttled at 100. */
export function isAppExhausted(headers: InboundReply['headers']): boolean {
  const usage = jsonOf(headers['x-app-usage']);
  return ['call_count', 'total_time', 'total_cputime'].some((key) => secondsOf(usage, key) >= 100);
}

/** `{"<business id>": [{"estimated_time_to_regain_access": minutes}, …], …}`, up to 32 entries. */
function businessRegainMinutes(header: string | undefined): readonly number[] {
  const usage = jsonOf(header);
  if (!isRecord(usage)) return [];
  return Object.values(usage)
    .slice(0, 32)
    .flatMap((entries) => (Array.isArray(entries) ? entries.slice(0, 32) : []))
    .map((entry) => secondsOf(entry, 'estimated_time_to_regain_access'));
}

/** Seconds, or an HTTP date (RFC 9110, 10.2.3). Meta documents neither, but what stands before it may send one. */
function retryAfterMs(header: string | undefined, receivedAtMs: number): number {
  if (header === undefined || header.trim() === '') return Number.NaN;
  const seconds = Number(header);
  return Number.isNaN(seconds) ? Date.parse(header) - receivedAtMs : seconds * 1000;
}

function secondsOf(record: unknown, key: string): number {
  const value = isRecord(record) ? record[key] : undefined;
  return typeof value === 'number' ? value : Number.NaN;
}

function jsonOf(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // A header that is no JSON holds no hint; the default applies.
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
