/** In ISO 4217 and in use, and yet not among the codes that Node's ICU lists (24.21: Venezuela's digital bolívar). */
const MISSING_IN_ICU = ['VED'];
/** ISO 4217 codes in use, upper case, as the ICU data of this Node knows them. */
const CURRENCIES: ReadonlySet<string> = new Set([...Intl.supportedValuesOf('currency'), ...MISSING_IN_ICU]);

/** Whether `code` (upper case) is an ISO 4217 currency. */
export function isCurrency(code: string): boolean {
  return CURRENCIES.has(code);
}
