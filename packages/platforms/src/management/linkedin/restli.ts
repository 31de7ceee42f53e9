/**
 * Query values and keys as Rest.li protocol 2.0.0 writes them: structure stays raw, everything else is percent-encoded.
 * https://linkedin.github.io/rest.li/spec/protocol (section "Rest.li Protocol 2.0 Object and List/Array Representation").
 */
export type RestliValue = string | number | boolean | readonly RestliValue[] | { readonly [key: string]: RestliValue };

/** `List(a,b)`, `(key:value)`, `urn%3Ali%3AsponsoredAccount%3A1`. */
export function restli(value: RestliValue): string {
  if (Array.isArray(value)) return `List(${(value as readonly RestliValue[]).map(restli).join(',')})`;
  if (typeof value === 'object') {
    return `(${Object.entries(value).map(([key, member]) => `${restliText(key)}:${restli(member)}`).join(',')})`;
  }
  return restliText(String(value));
}

/** An empty text is two apostrophes. `encodeURIComponent` leaves five characters alone that mean something here. */
function restliText(text: string): string {
  if (text === '') return "''";
  return encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** `a=1&b=List(x)`; members that are `undefined` are left out. */
export function restliQuery(parameters: Readonly<Record<string, RestliValue | undefined>>): string {
  return Object.entries(parameters)
    .filter((entry): entry is [string, RestliValue] => entry[1] !== undefined)
    .map(([name, value]) => `${name}=${restli(value)}`)
    .join('&');
}

/** The digits at the end of a URN of any namespace, or of a bare id; `undefined` for anything else. */
export function urnId(urn: unknown): string | undefined {
  const text = typeof urn === 'number' ? String(urn) : urn;
  return typeof text === 'string' ? /^(?:urn:[\w:]+:)?(\d{1,19})$/.exec(text)?.[1] : undefined;
}

/** A URN with its digits percent-decoded out of a key such as `(campaign:urn%3Ali%3AsponsoredCampaign%3A1,conversion:…)`. */
export function idInKey(key: string, entity: string): string | undefined {
  return new RegExp(`${entity}(?::|%3A)(\\d{1,19})`, 'i').exec(key)?.[1];
}
