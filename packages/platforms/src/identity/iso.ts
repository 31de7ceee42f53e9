/** ISO 4217 codes, upper case, as the ICU data of this Node knows them (that includes retired ones). */
const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

/** Whether `code` (upper case) is an ISO 4217 currency. */
export function isCurrency(code: string): boolean {
  return CURRENCIES.has(code);
}
