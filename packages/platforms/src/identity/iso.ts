/** In ISO 4217 and in use, and yet not among the codes that Node's ICU lists (24.21: Venezuela's digital bolívar). */
const MISSING_IN_ICU = ['VED'];
/** ISO 4217 codes in use, upper case, as the ICU data of this Node knows them. */
const CURRENCIES: ReadonlySet<string> = new Set([...Intl.supportedValuesOf('currency'), ...MISSING_IN_ICU]);

/** An ISO 3166-1 alpha-2 code, upper case; `undefined` for what cannot be one. */
export function isoCountry(raw: string): string | undefined {
  const code = raw.trim().toUpperCase();
  if (code.length !== 2 || !isLetter(code.charCodeAt(0)) || !isLetter(code.charCodeAt(1))) return undefined;
  // A frequent slip; ISO 3166-1 has GB and only reserves UK for it.
  return code === 'UK' ? 'GB' : code;
}

function isLetter(char: number): boolean {
  return char >= 65 && char <= 90;
}

/** Whether `code` (upper case) is an ISO 4217 currency. */
export function isCurrency(code: string): boolean {
  return CURRENCIES.has(code);
}
