/** Longest hint that is believed. A wrong clock or a typo at the platform must not put an account to sleep for years. */
const MAX_HINT_MS = 24 * 60 * 60 * 1000;
/** IMF-fixdate as RFC 9110 §5.6.7 has it. `Date.parse` alone would read a date into "-5". */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** `Retry-After` (RFC 9110 §10.2.3) in ms from when the reply came; `undefined` if absent, not understood or no wait. */
export function retryAfterMs(headers: Readonly<Record<string, string>>, receivedAtMs: number): number | undefined {
  const text = headers['retry-after']?.trim();
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return boundedHint(Number(text) * 1000);
  if (!HTTP_DATE.test(text)) return undefined;
  return boundedHint(Date.parse(text) - receivedAtMs);
}

/** A wait that a platform asked for, at most a day; `undefined` for none: "at once" (0, a date that is past) does not say when. */
export function boundedHint(hintMs: number): number | undefined {
  return hintMs > 0 ? Math.min(Math.ceil(hintMs), MAX_HINT_MS) : undefined;
}
