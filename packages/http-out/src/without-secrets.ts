import type { AnyRequest } from '@relay/contract';

/** Shorter ones cannot be told from ordinary words. */
const MIN_SECRET_LENGTH = 8;
const SECRET_HEADERS = ['authorization', 'developer-token'];
/** Of an OAuth form, or of a query. */
const SECRET_FIELDS = ['refresh_token', 'client_secret', 'access_token'];
const TOKEN_MEMBER = '"access_token":';

/**
 * A refusal without the secrets that the request carried. Platforms quote what they refuse, also a token ("Malformed access token
 * …"), and their words end up in receipts, dead letters and logs. Not for answers that are taken: a token endpoint's says
 * the refresh token again, and there it is meant.
 */
export function withoutSecrets(reply: string, request: AnyRequest): string {
  let said = reply;
  for (const secret of secretsOf(request)) {
    for (const spelling of new Set([secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret.toWellFormed()), inForm(secret)])) said = said.replaceAll(spelling, '***');
  }
  return said;
}

/** As a form or a query spells it. */
function inForm(secret: string): string {
  return new URLSearchParams([['', secret]]).toString().slice(1);
}

function secretsOf({ url, headers, body }: AnyRequest): string[] {
  const inHeaders = SECRET_HEADERS.map((name) => (headers[name] ?? '').replace(/^Bearer /, ''));
  return [...inHeaders, ...fieldsOf(url.split('?', 2)[1] ?? ''), ...inBody(headers['content-type'] ?? '', textOf(body))].filter((secret) => secret.length >= MIN_SECRET_LENGTH);
}

function textOf(body: AnyRequest['body']): string {
  return typeof body === 'string' ? body : Buffer.from(body ?? []).toString();
}

function fieldsOf(form: string): string[] {
  const fields = new URLSearchParams(form);
  return SECRET_FIELDS.map((field) => fields.get(field) ?? '');
}

function inBody(contentType: string, body: string): string[] {
  if (contentType.startsWith('application/x-www-form-urlencoded')) {
    return fieldsOf(body);
  }
  // Meta's token is a member of the body, behind the events; a text of an event that looks like one stands before it.
  const at = body.lastIndexOf(TOKEN_MEMBER);
  const quoted = at < 0 ? undefined : /^"(?:[^"\\]|\\.)*"/.exec(body.slice(at + TOKEN_MEMBER.length, at + TOKEN_MEMBER.length + 4096))?.[0];
  return quoted === undefined ? [] : [JSON.parse(quoted) as string];
}
