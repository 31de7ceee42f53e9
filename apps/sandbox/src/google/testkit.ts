import { createHash } from 'node:crypto';
import Fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import type { AcceptedRequest, PoisonRule, RequestEntry, SandboxCore } from '../core/types.ts';
import { SEED } from '../seed.ts';
import { googleEmulator } from './index.ts';

/** A core whose scripts are plain maps, and one app around it. For the tests of this folder only. */
export interface Stage {
  readonly app: FastifyInstance;
  readonly switches: Map<string, string | number | boolean>;
  readonly tokens: Map<string, 'valid' | 'expired' | 'revoked' | 'no_scope'>;
  readonly poison: Map<string, PoisonRule>;
  readonly accepted: AcceptedRequest[];
  readonly requested: RequestEntry[];
  readonly clock: { nowMs: number };
  reset(): void;
}

export const NOW_MS = Date.parse('2026-11-20T15:00:00Z');

export async function aStage(): Promise<Stage> {
  const switches: Stage['switches'] = new Map();
  const tokens: Stage['tokens'] = new Map();
  const poison: Stage['poison'] = new Map();
  const accepted: AcceptedRequest[] = [];
  const requested: RequestEntry[] = [];
  const clock = { nowMs: NOW_MS };
  const core: SandboxCore = {
    now: () => clock.nowMs,
    switchOf: (name, byDefault) => (switches.get(name) as typeof byDefault | undefined) ?? byDefault, // tests set the right type
    tokenState: (_platform, token) => tokens.get(token) ?? 'unset',
    poison: (_platform, eventId) => poison.get(eventId),
    accept: (entry) => void accepted.push(entry),
    requested: (entry) => void requested.push(entry),
  };
  const emulator = googleEmulator();
  const app = Fastify();
  app.register(async (scope) => emulator.register(scope, core));
  await app.ready();
  return { app, switches, tokens, poison, accepted, requested, clock, reset: () => emulator.reset() };
}

export const HASH = createHash('sha256').update('alexz@example.com').digest('hex');
export const HASH64 = createHash('sha256').update('alexz@example.com').digest('base64');

export type Json = Record<string, unknown>;

export function anEvent(change: Json = {}): Json {
  return {
    transactionId: 'evt-1',
    eventTimestamp: '2026-11-20T14:48:00Z',
    eventSource: 'WEB',
    userData: { userIdentifiers: [{ emailAddress: HASH }] },
    ...change,
  };
}

export function aDestination(change: Json = {}): Json {
  return {
    reference: 'd0',
    operatingAccount: { accountType: 'GOOGLE_ADS', accountId: SEED.google.customerId },
    loginAccount: { accountType: 'GOOGLE_ADS', accountId: SEED.google.loginCustomerId },
    productDestinationId: '111',
    ...change,
  };
}

export function aRequest(change: Json = {}): Json {
  return { destinations: [aDestination()], events: [anEvent()], encoding: 'HEX', ...change };
}

export function refreshForm(change: Readonly<Record<string, string>> = {}): string {
  return new URLSearchParams({
    client_id: SEED.google.clientId,
    client_secret: SEED.google.clientSecret,
    refresh_token: SEED.google.refreshToken,
    grant_type: 'refresh_token',
    ...change,
  }).toString();
}

export async function postToken(stage: Stage, body: string, contentType = 'application/x-www-form-urlencoded') {
  return stage.app.inject({ method: 'POST', url: '/google/oauth/token', headers: { 'content-type': contentType }, body });
}

export async function aToken(stage: Stage): Promise<string> {
  const reply = await postToken(stage, refreshForm());
  return String(reply.json<Json>()['access_token']);
}

export async function ingest(stage: Stage, body: Json | string, token?: string) {
  return stage.app.inject({
    method: 'POST',
    url: '/google/datamanager/v1/events:ingest',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token ?? (await aToken(stage))}` },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

export async function status(stage: Stage, requestId: string | undefined, token?: string) {
  return stage.app.inject({
    method: 'GET',
    url: `/google/datamanager/v1/requestStatus:retrieve${requestId === undefined ? '' : `?requestId=${requestId}`}`,
    headers: { authorization: `Bearer ${token ?? (await aToken(stage))}` },
  });
}

export interface ErrorBody {
  readonly error: { readonly code: number; readonly message: string; readonly status: string; readonly details?: readonly Json[] };
}

export function detail(body: ErrorBody, type: string): Json | undefined {
  return body.error.details?.find((entry) => entry['@type'] === `type.googleapis.com/google.rpc.${type}`);
}

export function violations(body: ErrorBody): readonly Json[] {
  return (detail(body, 'BadRequest')?.['fieldViolations'] as readonly Json[] | undefined) ?? [];
}

/** `field reason` of each violation, or `field` alone from the front end. */
export function found(body: ErrorBody): readonly string[] {
  return violations(body).map(({ field, reason }) => [field, reason].filter(Boolean).join(' '));
}
