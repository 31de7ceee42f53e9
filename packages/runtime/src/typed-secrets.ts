/** Secrets that people choose or copy from somewhere, unlike `RELAY_SECRET_KEY`. No fault text repeats any part of the value. */

const LEAST_CHARACTERS = 8;
const LEAST_DIFFERENT = 4;
/** What stands in examples and what is tried first, with digits after it or not. */
const DEFAULT = /^(?:pass(?:word|w0rd)|change.?(?:me|this)|admin(?:istrator)?|secret|default|example|letmein|qwerty|1234)[\d!.]*$/i;

/** Why a secret is refused outside development, or `undefined`. */
export function typedSecretFault(text: string, leastCharacters = LEAST_CHARACTERS): string | undefined {
  if (DEFAULT.test(text)) return 'is a default';
  if (text.length < leastCharacters) return `has fewer than ${leastCharacters} characters`;
  if (new Set(text).size < LEAST_DIFFERENT) return `has fewer than ${LEAST_DIFFERENT} different characters`;
  return undefined;
}
