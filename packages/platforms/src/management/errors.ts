import type { InboundReply, PlatformId } from '@relay/contract';
import { readJson } from '../http/json.ts';
import { maskedText } from '../identity/mask.ts';

/**
 * What a refused or failed call means for whoever asked.
 * `unauthorised`: the token is dead. `permission`: it may not do this. `config`: the operator's set-up (version, developer
 * token, app). `unavailable`: may pass by itself. `conflict`: something of that name is there.
 */
export type PlatformCallKind = 'invalid' | 'not_found' | 'conflict' | 'unauthorised' | 'permission' | 'rate_limited' | 'unavailable' | 'config';

/** Google's names for whose quota is spent: all that share the developer token, or the one ad account. */
export type QuotaScope = 'DEVELOPER' | 'ACCOUNT';

export interface PlatformCallFacts {
  readonly platform: PlatformId;
  readonly kind: PlatformCallKind;
  /** The platform's own code as text; `http_503` or `unreadable_reply` where it gave none. */
  readonly code: string;
  /** Reaches the caller; masked by the constructor. */
  readonly message: string;
  /** The platform's payload as it came; `undefined`: there is none. */
  readonly platformError?: unknown;
  readonly traceId?: string | undefined;
  /** With `unauthorised`: a new access token may help, before anybody has to reconnect. */
  readonly refreshable?: boolean | undefined;
  /** When to ask again, whole seconds. */
  readonly retryAfterSeconds?: number | undefined;
  /** With `rate_limited`: the platform's quota is spent, not a limit of the relay. Google only. */
  readonly quotaExhausted?: boolean | undefined;
  readonly quotaScope?: QuotaScope | undefined;
}

/** The platform refused, failed, or answered what nobody can read. */
export class PlatformCallError extends Error {
  override readonly name = 'PlatformCallError';
  readonly platform: PlatformId;
  readonly kind: PlatformCallKind;
  readonly code: string;
  readonly platformError: unknown;
  readonly traceId: string | undefined;
  readonly refreshable: boolean;
  readonly retryAfterSeconds: number | undefined;
  readonly quotaExhausted: boolean | undefined;
  readonly quotaScope: QuotaScope | undefined;
  constructor(facts: PlatformCallFacts) {
    super(maskedText(facts.message) || facts.code);
    this.platform = facts.platform;
    this.kind = facts.kind;
    this.code = facts.code;
    this.platformError = facts.platformError;
    this.traceId = facts.traceId;
    this.refreshable = facts.refreshable ?? false;
    this.retryAfterSeconds = facts.retryAfterSeconds;
    this.quotaExhausted = facts.quotaExhausted;
    this.quotaScope = facts.quotaScope;
  }
}

/** Codes of the API's own error table (400): nothing was asked of the platform. */
export type LocalRuleCode = 'invalid_request' | 'invalid_destination';

/** Refused here, before any call: the platform is certain to refuse it, or it would do what the caller did not mean. */
export class LocalRuleError extends Error {
  override readonly name = 'LocalRuleError';
  /** Path of the field at fault, e.g. `campaignIds[2]`. */
  readonly param: string;
  readonly code: LocalRuleCode;
  constructor(param: string, message: string, code: LocalRuleCode = 'invalid_request') {
    super(message);
    this.param = param;
    this.code = code;
  }
}

/** Longer answers than this that are not JSON are some proxy's page; its beginning tells enough. */
const MAX_TEXT_LENGTH = 2000;

/** The payload as it came, as JSON where it is JSON. Only the access token, should the platform quote it, is blotted out. */
export function payloadOf(reply: InboundReply, accessToken: string): unknown {
  const body = accessToken.length < 8 ? reply.body : reply.body.replaceAll(accessToken, '***');
  if (body.trim() === '') return undefined;
  return readJson(body) ?? body.slice(0, MAX_TEXT_LENGTH).toWellFormed();
}

/** What the caller has to do, in the words of the platform's refusal. */
export function guided(name: string, kind: PlatformCallKind, said: string): string {
  const words = /[.!?]$/.test(said) ? said : `${said}.`;
  switch (kind) {
    case 'unauthorised':
      return `${name} does not accept the token of this account: ${words} Reconnect the account and store its new credentials.`;
    case 'permission':
      return `${name} denies permission: ${words} Give the connected user access, or reconnect the account with the missing permission.`;
    case 'config':
      return `${name} refuses the relay's own set-up: ${words} This is for the operator of the relay.`;
    case 'rate_limited':
      return `${name} limits the rate of calls: ${words}`;
    case 'invalid':
    case 'not_found':
    case 'conflict':
    case 'unavailable':
      return `${name}: ${words}`;
  }
}

/** A 2xx that nobody can read, or that lacks what it has to say. */
export function unreadable(platform: PlatformId, reply: InboundReply, accessToken: string, wanted: string): PlatformCallError {
  return new PlatformCallError({
    platform,
    kind: 'unavailable',
    code: 'unreadable_reply',
    message: `The platform answered with status ${reply.status} but without ${wanted}.`,
    platformError: payloadOf(reply, accessToken),
  });
}
