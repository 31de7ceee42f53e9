import type { SandboxCore } from '../core/types.ts';
import type { ErrorEnvelope } from '../linkedin/error-bodies.ts';
import type { RuleBook } from '../linkedin/rule-book.ts';
import { notPermitted } from '../linkedin/tokens.ts';
import { SEED } from '../seed.ts';
import { decode, parseRestli, stringsIn } from './restli.ts';
import type { RestliValue } from './restli.ts';
import type { ManagementSettings } from './settings.ts';
import { idOfUrn } from './world.ts';
import type { AdAccount, World } from './world.ts';

/** One management request, past its token and headers. */
export interface Call {
  /** As 403s name it: `conversions.CREATE`. */
  readonly resource: string;
  /** Path without the prefix, as it came in. */
  readonly path: string;
  /** What the route's pattern caught, as it came in. */
  readonly key: string;
  /** Values as they came in. */
  readonly query: ReadonlyMap<string, string>;
  readonly raw: Buffer;
  readonly version: number;
  readonly rejectUnknownFields: boolean;
  readonly settings: ManagementSettings;
  readonly core: SandboxCore;
  readonly world: World;
  readonly rules: RuleBook;
}

/** Ends a request with LinkedIn's envelope. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly envelope: ErrorEnvelope;
  constructor(envelope: ErrorEnvelope) {
    super(envelope.message);
    this.envelope = envelope;
  }
}

export const badRequest = (message: string, code?: string): Refused => new Refused({ status: 400, message, ...(code === undefined ? {} : { code }) });

export const notFound = (message: string): Refused => new Refused({ status: 404, code: 'NOT_FOUND', message });

export const forbidden = ({ core, resource }: Call): Refused => new Refused(notPermitted(core, resource));

const invalid = (name: string) => badRequest(`Invalid value for parameter '${name}': not valid Rest.li 2.0 encoding`, 'PARAM_INVALID');

/** A parameter, read strictly: a URN's colons must be percent-encoded, the structure's must not. */
export function readParam({ query, settings }: Call, name: string): RestliValue | undefined {
  const raw = query.get(name);
  if (raw === undefined) return undefined;
  const value = parseRestli(raw) ?? (settings.strictEncoding || /^(?:List)?\(/.test(raw) ? undefined : decode(raw));
  if (value === undefined) throw invalid(name);
  return value;
}

export function textParam(call: Call, name: string): string | undefined {
  const value = readParam(call, name);
  if (value !== undefined && typeof value !== 'string') throw invalid(name);
  return value;
}

export function integerParam(call: Call, name: string, byDefault: number): number {
  const text = textParam(call, name);
  if (text === undefined) return byDefault;
  if (!/^\d{1,9}$/.test(text)) throw badRequest(`Invalid value for parameter '${name}': ${text}`, 'PARAM_INVALID');
  return Number(text);
}

export function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw badRequest(`Parameter '${name}' is required`, 'PARAM_MISSING');
  return value;
}

type UrnKind = Parameters<typeof idOfUrn>[0];

export function urnId(urn: unknown, kind: UrnKind): string {
  const id = idOfUrn(kind, urn);
  if (id === undefined) throw badRequest(`Invalid Urn format. Invalid prefix. Expected urn:${kind}`);
  return id;
}

/** Ids behind `name=List(urn,urn)`. */
export function urnListParam(call: Call, name: string, kind: UrnKind): readonly string[] | undefined {
  const value = readParam(call, name);
  if (value === undefined) return undefined;
  const urns = stringsIn(value);
  if (urns === undefined) throw badRequest(`Invalid value for parameter '${name}': a List is expected`, 'PARAM_INVALID');
  return urns.map((urn) => urnId(urn, kind));
}

/** The account if the member may do that in it; a VIEWER only reads. */
export function accountFor(call: Call, accountId: string, mode: 'read' | 'write'): AdAccount {
  const account = call.world.accountOf(accountId);
  if (account === undefined) throw accountId === SEED.linkedin.foreignAdAccountId ? forbidden(call) : notFound(`The account urn:li:sponsoredAccount:${accountId} does not exist`);
  if (mode === 'write' && account.role === 'VIEWER') throw forbidden(call);
  return account;
}

export function readBody({ raw }: Call): Readonly<Record<string, unknown>> {
  try {
    const body: unknown = JSON.parse(raw.toString('utf8'));
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Readonly<Record<string, unknown>>;
  } catch {
    // told below, like a body of another type
  }
  throw badRequest('Cannot parse request entity');
}
