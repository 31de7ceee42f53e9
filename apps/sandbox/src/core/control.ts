import type { FastifyInstance } from 'fastify';

import type { ControlledCore } from './create-core.ts';
import { asObject, ControlInputError, parseFaultRule, readCode, readPlatform, readString } from './parse-fault.ts';
import type { SwitchValue, TokenState } from './script.ts';
import type { Emulator } from './types.ts';

const TOKEN_STATES: readonly string[] = ['valid', 'expired', 'revoked', 'no_scope', 'unset'] satisfies TokenState[];
const DEFAULT_LIMIT = 100;

type Query = Readonly<Record<string, string | undefined>>;

function limitOf(query: Query): number {
  const limit = Number(query['limit'] ?? DEFAULT_LIMIT);
  if (!Number.isInteger(limit) || limit < 0) throw new ControlInputError('limit must be an integer >= 0');
  return limit;
}

const platformOf = (query: Query) => (query['platform'] === undefined ? undefined : readPlatform(query['platform']));

function readSwitches(body: unknown): [string, SwitchValue | null][] {
  return Object.entries(asObject(body, 'body')).map(([name, value]) => {
    if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return [name, value as SwitchValue | null];
    throw new ControlInputError(`switch ${name} must be a string, number or boolean (null unsets it)`);
  });
}

function faultRoutes(app: FastifyInstance, { faults }: ControlledCore): void {
  app.post('/_control/faults', async (request) => ({ id: faults.add(parseFaultRule(request.body)) }));
  app.get('/_control/faults', async () => ({ faults: faults.list() }));
  app.delete('/_control/faults', async () => {
    faults.clear();
    return { ok: true };
  });
  app.delete<{ Params: { id: string } }>('/_control/faults/:id', async (request, reply) => {
    if (faults.remove(request.params.id)) return { ok: true };
    return reply.code(404).send({ error: `no fault ${request.params.id}` });
  });
}

function scriptRoutes(app: FastifyInstance, { script }: ControlledCore): void {
  app.put('/_control/poison', async (request) => {
    const body = asObject(request.body, 'body');
    const eventIds = body['eventIds'];
    if (!Array.isArray(eventIds)) throw new ControlInputError('eventIds must be an array of strings');
    const code = readCode(body['code'], 'code');
    const rule = code === undefined ? {} : { code };
    script.addPoison(readPlatform(body['platform']), eventIds.map((id) => readString(id, 'eventIds[]')), rule);
    return { poisoned: script.poisoned() };
  });
  app.delete('/_control/poison', async () => {
    script.clearPoison();
    return { ok: true };
  });
  app.put('/_control/tokens', async (request) => {
    const body = asObject(request.body, 'body');
    const state = body['state'];
    if (typeof state !== 'string' || !TOKEN_STATES.includes(state)) {
      throw new ControlInputError(`state must be one of ${TOKEN_STATES.join(', ')}`);
    }
    script.setToken(readPlatform(body['platform']), readString(body['token'], 'token'), state as TokenState);
    return { ok: true };
  });
  app.put('/_control/switches', async (request) => {
    for (const [name, value] of readSwitches(request.body)) {
      if (value === null) script.switches.delete(name);
      else script.switches.set(name, value);
    }
    return { switches: Object.fromEntries(script.switches) };
  });
  app.put('/_control/clock', async (request) => {
    const offsetMs = asObject(request.body, 'body')['offsetMs'];
    if (typeof offsetMs !== 'number' || !Number.isFinite(offsetMs)) throw new ControlInputError('offsetMs must be a number');
    script.clockOffsetMs = offsetMs;
    return { offsetMs };
  });
}

function recordRoutes(app: FastifyInstance, { record }: ControlledCore): void {
  app.get<{ Querystring: Query }>('/_control/accepted', async ({ query }) =>
    record.accepted({
      platform: platformOf(query),
      destinationId: query['destinationId'],
      eventId: query['eventId'],
      limit: limitOf(query),
    }),
  );
  app.get<{ Querystring: Query }>('/_control/requests', async ({ query }) => ({
    requests: record.requests(platformOf(query), limitOf(query)),
  }));
  app.get('/_control/summary', async () => record.summary());
}

/** The API by which tests, the demo and benchmarks script the platforms and read what they took. */
export function registerControl(app: FastifyInstance, controlled: ControlledCore, emulators: readonly Emulator[]): void {
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const status = error instanceof ControlInputError ? 400 : (error.statusCode ?? 500);
    if (status >= 500) request.log.error({ err: error }, 'sandbox.control_failed');
    return reply.code(status).send({ error: error.message });
  });
  app.get('/_control/healthz', async () => ({ ok: true, platforms: [...new Set(emulators.map((emulator) => emulator.platform))] }));
  faultRoutes(app, controlled);
  scriptRoutes(app, controlled);
  recordRoutes(app, controlled);
  for (const emulator of emulators) emulator.registerControl?.(app);
  app.post('/_control/reset', async () => {
    controlled.record.clear();
    controlled.script.clear();
    controlled.faults.clear();
    for (const emulator of emulators) emulator.reset();
    return { ok: true };
  });
}
