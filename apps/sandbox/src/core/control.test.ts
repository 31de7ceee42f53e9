import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { control, events, metaSandbox, PIXEL, send } from '../meta/meta-testing.ts';

let app = metaSandbox();
beforeEach(() => {
  app = metaSandbox();
});
afterEach(() => app.close());

it('is healthy and names its platforms', async () => {
  expect((await control(app, 'GET', 'healthz')).json).toEqual({ ok: true, platforms: ['meta'] });
});

describe('input', () => {
  it.each<['POST' | 'PUT', string, object, string]>([
    ['POST', 'faults', { platform: 'tiktok', fault: { kind: 'hang' } }, 'platform must be'],
    ['POST', 'faults', { platform: 'meta', fault: { kind: 'flood' } }, 'fault.kind must be'],
    ['POST', 'faults', { platform: 'meta', fault: { kind: 'toString' } }, 'fault.kind must be'],
    ['POST', 'faults', { platform: 'meta', fault: { kind: 'latency' } }, 'fault.ms must be'],
    ['POST', 'faults', { platform: 'meta', fault: { kind: 'status', status: 42 } }, 'fault.status must be'],
    ['POST', 'faults', { platform: 'meta', fault: { kind: 'reset', when: 'later' } }, 'fault.when must be'],
    ['POST', 'faults', { platform: 'meta', match: { pixel: '1' }, fault: { kind: 'hang' } }, 'match knows no pixel'],
    ['POST', 'faults', { platform: 'meta', times: 0, fault: { kind: 'hang' } }, 'times must be'],
    ['PUT', 'poison', { platform: 'meta', eventIds: 'e1' }, 'eventIds must be'],
    ['PUT', 'tokens', { platform: 'meta', token: 't', state: 'gone' }, 'state must be'],
    ['PUT', 'switches', { 'meta.pixels': ['1'] }, 'switch meta.pixels must be'],
    ['PUT', 'clock', { offsetMs: '1' }, 'offsetMs must be'],
  ])('%s %s %o', async (method, path, body, message) => {
    const { status, json } = await control(app, method, path, body);
    expect(status).toBe(400);
    expect(json.error).toContain(message);
  });
});

it('lists scripted faults with what is left of them', async () => {
  const { id } = (await control(app, 'POST', 'faults', { platform: 'meta', times: 2, fault: { kind: 'status', status: 500 } })).json;
  await send(app, { data: events(1) }).catch(() => undefined); // the scripted body is not JSON
  expect((await control(app, 'GET', 'faults')).json.faults).toEqual([
    { id, platform: 'meta', match: {}, times: 1, hits: 1, fault: { kind: 'status', status: 500 } },
  ]);
});

it('lists accepted events by filter and limit', async () => {
  await send(app, { data: events(3) });
  await send(app, { data: events(2, 'f') }, { url: '/meta/v25.0/1000000000000002/events' });
  const all = (await control(app, 'GET', 'accepted?limit=4')).json;
  expect(all).toMatchObject({ total: 5, unique: 5, duplicates: 0 });
  expect(all.events).toHaveLength(4);
  expect((await control(app, 'GET', `accepted?destinationId=${PIXEL}`)).json.total).toBe(3);
  expect((await control(app, 'GET', 'accepted?platform=google')).json).toEqual({ total: 0, unique: 0, duplicates: 0, events: [] });
  expect((await control(app, 'GET', 'accepted?eventId=f1')).json.events).toEqual([
    { platform: 'meta', destinationId: '1000000000000002', eventId: 'f1', times: 1 },
  ]);
  expect((await control(app, 'GET', 'accepted?limit=x')).status).toBe(400);
});

it('lists requests newest first', async () => {
  await send(app, { data: events(3) });
  await send(app, { data: events(1) }, { token: 'wrong' });
  const { requests } = (await control(app, 'GET', 'requests?platform=meta&limit=5')).json;
  expect(requests).toMatchObject([
    { status: 401, events: 0 },
    { status: 200, events: 3, platform: 'meta', route: '/meta/:version/:datasetId/events', bytes: expect.any(Number), tookMs: expect.any(Number) },
  ]);
});

it('summarises per platform and destination', async () => {
  await send(app, { data: events(3) });
  await send(app, { data: events(1) });
  expect((await control(app, 'GET', 'summary')).json.meta).toEqual({
    requests: 2,
    answered: { 200: 2 },
    accepted: 4,
    unique: 3,
    duplicates: 1,
    sizes: { min: 1, max: 3, mean: 2 },
    byDestination: { [PIXEL]: { accepted: 4, unique: 3, duplicates: 1 } },
  });
});

it('unsets a switch with null and ignores one of the wrong type', async () => {
  await control(app, 'PUT', 'switches', { 'meta.pixels': '9', 'meta.futureSeconds': 'many' });
  expect((await send(app, { data: events(1) }, { url: '/meta/v25.0/9/events' })).status).toBe(200);
  expect((await control(app, 'PUT', 'switches', { 'meta.pixels': null })).json.switches).toEqual({ 'meta.futureSeconds': 'many' });
  expect((await send(app, { data: events(1) }, { url: '/meta/v25.0/9/events' })).status).toBe(400);
});

it('removes poison', async () => {
  expect((await control(app, 'PUT', 'poison', { platform: 'meta', eventIds: ['e0', 'e1'] })).json).toEqual({ poisoned: { meta: 2 } });
  expect((await send(app, { data: events(1) })).status).toBe(400);
  await control(app, 'DELETE', 'poison');
  expect((await send(app, { data: events(1) })).status).toBe(200);
});

it('reset forgets records, faults, poison, tokens, switches and the clock', async () => {
  await send(app, { data: events(2) });
  await control(app, 'PUT', 'poison', { platform: 'meta', eventIds: ['e0'] });
  await control(app, 'PUT', 'tokens', { platform: 'meta', token: 'sandbox-meta-token', state: 'revoked' });
  await control(app, 'PUT', 'switches', { 'meta.versions': 'v1.0' });
  await control(app, 'PUT', 'clock', { offsetMs: 1e10 });
  await control(app, 'POST', 'faults', { platform: 'meta', fault: { kind: 'hang' } });
  await control(app, 'POST', 'reset');
  expect((await control(app, 'GET', 'accepted')).json.total).toBe(0);
  expect((await control(app, 'GET', 'requests')).json.requests).toEqual([]);
  expect((await control(app, 'GET', 'faults')).json.faults).toEqual([]);
  expect((await send(app, { data: events(1) })).status).toBe(200);
});
