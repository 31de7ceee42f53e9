import type { InboundReply, OutboundRequest, RefreshResult } from '@relay/contract';
import { maskedText } from '../identity/mask.ts';
import { asCode, asCount, asObject, asText, readJson } from './json.ts';
import { retryAfterMs } from './retry-after.ts';

/** Used when a token endpoint leaves `expires_in` out (RFC 6749 §5.1 only recommends it): short, so that nothing goes stale. */
const FALLBACK_EXPIRES_IN_MS = 10 * 60 * 1000;

/** A refresh as RFC 6749 §6 has it, with the client's secret in the form, where Google and LinkedIn take it. */
export function refreshForm(
  url: string,
  client: { readonly clientId: string; readonly clientSecret: string; readonly refreshToken: string },
): OutboundRequest {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: client.refreshToken,
    client_id: client.clientId,
    client_secret: client.clientSecret,
  });
  return {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: form.toString(),
  };
}

/** How long to leave a token endpoint alone that limits calls and does not say for how long. */
const COOLDOWN_MS = 60 * 1000;

/** Whom an OAuth error code concerns. A code that is not in the table is tried again: it may be new, or a proxy's. */
export type OauthErrors = Readonly<Record<string, 'unauthorised' | 'operator'>>;

export function readTokenReply(reply: InboundReply, errors: OauthErrors): RefreshResult {
  const body = asObject(readJson(reply.body));
  if (reply.status === 200) return readToken(body);
  const error = asCode(body?.['error']);
  const code = error ?? `http_${reply.status}`;
  const words = maskedText(asText(body?.['error_description']) ?? `The token endpoint answered with status ${reply.status}.`);
  const message = words === '' ? code : words;
  if (reply.status === 429) return { kind: 'rate_limited', cooldownMs: Math.max(retryAfterMs(reply.headers, reply.receivedAtMs) ?? COOLDOWN_MS, 1000), code, message };
  const isFinal = reply.status >= 400 && reply.status < 500;
  const concern = isFinal && error !== undefined && Object.hasOwn(errors, error) ? errors[error] : undefined;
  return { kind: concern ?? 'retry', code, message };
}

function readToken(body: Readonly<Record<string, unknown>> | undefined): RefreshResult {
  const accessToken = asText(body?.['access_token']);
  if (accessToken === undefined) {
    return { kind: 'retry', code: 'unreadable_reply', message: 'The token endpoint answered with status 200 but without a token.' };
  }
  const expiresInSeconds = asCount(body?.['expires_in']);
  return {
    kind: 'token',
    accessToken,
    expiresInMs: expiresInSeconds === undefined ? FALLBACK_EXPIRES_IN_MS : expiresInSeconds * 1000,
    refreshToken: asText(body?.['refresh_token']),
  };
}
