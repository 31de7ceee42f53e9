/** Longest hint that is believed. A wrong clock or a typo at the platform must not put an account to sleep for years. */
const MAX_HINT_MS = 24 * 60 * 60 * 1000;
/** IMF-fixdate as RFC 9110 §5.6.7 has it. `Date.parse` alone would read a date into "-5". */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** `Retry-After` (RFC 9110 §10.2.3) in ms from when the reply came; `undefined` if absent or not understood. */
export function retryAfterMs(headers: Readonly<Record<string, string>>, receivedAtMs: number): number | undefined {
  const text = headers['retry-after']?.trim();
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return boundedHint(Number(text) * 1000);
  if (!HTTP_DATE.test(text)) return undefined;
  return boundedHint(Date.parse(text) - receivedAtMs);
}

/** A wait that a platform asked for, between nothing and a day; `undefined` for what is no number. */
export function boundedHint(hintMs: number): number | undefined {
  return Number.isNaN(hintMs) ? undefined : Math.min(Math.max(0, Math.ceil(hintMs)), MAX_HINT_MS);
}
