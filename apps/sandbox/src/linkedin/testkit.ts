import { createHash } from 'node:crypto';
import Fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import type { AcceptedRequest, PoisonRule, RequestEntry, SandboxCore } from '../core/types.ts';
import { SEED } from '../seed.ts';
import { linkedinEmulator } from './index.ts';

/** A core whose scripts are plain maps, and one app around it. For the tests of this folder only. */
export interface Stage {
  readonly app: FastifyInstance;
  readonly switches: Map<string, string | number | boolean>;
  readonly tokens: Map<string, 'valid' | 'expired' | 'revoked' | 'no_scope'>;
  readonly poison: Map<string, PoisonRule>;
  readonly accepted: AcceptedRequest[];
  readonly requested: RequestEntry[];
  readonly clock: { nowMs: number };
  /** While true every request is treated as struck by the fault `partial`. */
  readonly fault: { partial: boolean };
  reset(): void;
}

export const NOW_MS = Date.parse('2026-11-20T15:00:00Z');
export const DAY_MS = 86_400_000;

export async function aStage(): Promise<Stage> {
  const switches: Stage['switches'] = new Map();
  const tokens: Stage['tokens'] = new Map();
  const poison: Stage['poison'] = new Map();
  const accepted: AcceptedRequest[] = [];
  const requested: RequestEntry[] = [];
  const clock = { nowMs: NOW_MS };
  const fault = { partial: false };
  const core: SandboxCore = {
    now: () => clock.nowMs,
    switchOf: (name, byDefault) => (switches.get(name) as typeof byDefault | undefined) ?? byDefault, // tests set the right type
    tokenState: (_platform, token) => tokens.get(token) ?? 'unset',
    poison: (_platform, eventId) => poison.get(eventId),
    accept: (entry) => void accepted.push(entry),
    requested: (entry) => void requested.push(entry),
  };
  const emulator = linkedinEmulator();
  const app = Fastify();
  app.register(async (scope) => {
    scope.addHook('preHandler', async (request) => {
      if (fault.partial) emulator.markPartial?.(request);
    });
    emulator.register(scope, core);
  });
  await app.ready();
  return { app, switches, tokens, poison, accepted, requested, clock, fault, reset: () => emulator.reset() };
}

export const HASH = createHash('sha256').update('jane@example.com').digest('hex');

export type Json = Record<string, unknown>;

export function anEvent(change: Json = {}): Json {
  return {
    conversion: 'urn:lla:llaPartnerConversion:50001',
    conversionHappenedAt: NOW_MS - 60_000,
    eventId: 'evt-1',
    user: { userIds: [{ idType: 'SHA256_EMAIL', idValue: HASH }] },
    ...change,
  };
}

export type HeaderChange = Readonly<Record<string, string | undefined>>;

export async function post(stage: Stage, body: Json | string, headers: HeaderChange = {}) {
  const all = {
    authorization: `Bearer ${SEED.linkedin.accessToken}`,
    'linkedin-version': '202609',
    'x-restli-protocol-version': '2.0.0',
    'content-type': 'application/json',
    ...headers,
  };
  const present = Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
  return stage.app.inject({
    method: 'POST',
    url: '/linkedin/rest/conversionEvents',
    headers: present,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

export async function batch(stage: Stage, elements: readonly unknown[], headers: HeaderChange = {}) {
  return post(stage, { elements }, { 'x-restli-method': 'BATCH_CREATE', ...headers });
}

export function refreshForm(change: Readonly<Record<string, string>> = {}): string {
  return new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: SEED.linkedin.clientId,
    client_secret: SEED.linkedin.clientSecret,
    refresh_token: SEED.linkedin.refreshToken,
    ...change,
  }).toString();
}

export async function postToken(stage: Stage, body: string, contentType = 'application/x-www-form-urlencoded') {
  return stage.app.inject({ method: 'POST', url: '/linkedin/oauth/accessToken', headers: { 'content-type': contentType }, body });
}
