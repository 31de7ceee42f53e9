/** What stands in examples and is tried first. */
const DEFAULT = /^(?:password|change.?(?:me|this)|admin|123456)$/i;

/**
 * Why a secret that people choose or copy from somewhere (unlike `RELAY_SECRET_KEY`) is refused outside development, or
 * `undefined`. What is known to be weak is refused, not every text that might be: how long Meta's secret is, is Meta's to
 * say, and a relay that does not start protects nobody. The text repeats no part of the value.
 */
export function typedSecretFault(text: string): string | undefined {
  return DEFAULT.test(text) ? 'is a default' : undefined;
}
