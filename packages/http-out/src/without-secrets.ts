import type { AnyRequest } from '@relay/contract';

/** Shorter ones cannot be told from ordinary words. */
const MIN_SECRET_LENGTH = 8;
const SECRET_HEADERS = ['authorization', 'developer-token'];
/** Of an OAuth form, or of a query. */
const SECRET_FIELDS = ['refresh_token', 'client_secret', 'access_token'];
const TOKEN_MEMBER = '"access_token":';
const FORM = 'application/x-www-form-urlencoded';
/** Of a body that ends with the token: more than the token, its proof and the braces take, and no megabytes of events. */
const TAIL_BYTES = 8_192;

/**
 * An answer without the secrets that the request carried. Platforms quote what they were sent, also a token ("Malformed access
 * token …"), in refusals as well as in the warnings and faults of a 2xx, and their words end up in receipts, dead letters and logs.
 */
export function withoutSecrets(reply: string, request: AnyRequest): string {
  let said = reply;
  for (const secret of secretsOf(request)) {
    for (const spelling of new Set([secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret.toWellFormed()), asField(secret)])) said = said.replaceAll(spelling, '***');
  }
  return said;
}

/** A token endpoint's answer that is no refusal: it is a token, and says the refresh token again, and there both are meant. */
export function isGrant(status: number, { headers }: AnyRequest): boolean {
  return status < 300 && isForm(headers);
}

function isForm(headers: AnyRequest['headers']): boolean {
  return headers['content-type']?.startsWith(FORM) === true;
}

function secretsOf({ url, headers, body }: AnyRequest): string[] {
  const inHeaders = SECRET_HEADERS.map((name) => (headers[name] ?? '').replace(/^Bearer /, ''));
  const inUrl = url.includes('?') ? fieldsOf(url.slice(url.indexOf('?') + 1)) : [];
  const inBody = isForm(headers) ? fieldsOf(bytesOf(body).toString()) : inJson(body);
  return [...inHeaders, ...inUrl, ...inBody].filter((secret) => secret.length >= MIN_SECRET_LENGTH);
}

/** As a form or a query spells it. */
function asField(secret: string): string {
  return new URLSearchParams([['', secret]]).toString().slice(1);
}

function fieldsOf(form: string): string[] {
  const fields = new URLSearchParams(form);
  return SECRET_FIELDS.map((field) => fields.get(field) ?? '');
}

/** Meta's token is a member of the body, behind the events; a text of an event that looks like one stands before it. */
function inJson(body: AnyRequest['body']): string[] {
  const tail = bytesOf(typeof body === 'string' ? body.slice(-TAIL_BYTES) : body).subarray(-TAIL_BYTES);
  const at = tail.lastIndexOf(TOKEN_MEMBER);
  const quoted = at < 0 ? undefined : /^"(?:[^"\\]|\\.)*"/.exec(tail.subarray(at + TOKEN_MEMBER.length).toString())?.[0];
  return quoted === undefined ? [] : [JSON.parse(quoted) as string];
}

/** A view: the body of a full request is megabytes. */
function bytesOf(body: AnyRequest['body']): Buffer {
  return body instanceof Uint8Array ? Buffer.from(body.buffer, body.byteOffset, body.byteLength) : Buffer.from(body ?? '');
}
