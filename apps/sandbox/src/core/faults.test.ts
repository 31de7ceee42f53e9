import { connect } from 'node:net';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { control, EVENTS_URL, events, metaSandbox, PIXEL, send } from '../meta/meta-testing.ts';

let app = metaSandbox();
let url = '';
beforeEach(async () => {
  app = metaSandbox();
  url = await app.listen({ port: 0, host: '127.0.0.1' });
});
afterEach(() => app.close());

const fault = async (given: object, rest: object = {}) => (await control(app, 'POST', 'faults', { platform: 'meta', fault: given, ...rest })).json.id as string;
const accepted = async () => (await control(app, 'GET', 'accepted')).json.total as number;
const post = (init: RequestInit = {}) =>
  fetch(`${url}${EVENTS_URL}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sandbox-meta-token' },
    body: JSON.stringify({ data: events(4) }),
    ...init,
  });

describe('answers in the platform\'s place', () => {
  it.each<[string, object, number, string]>([
    ['status', { kind: 'status', status: 503, body: { a: 1 }, headers: { 'retry-after': '7' } }, 503, '{"a":1}'],
    ['status without a body', { kind: 'status', status: 500 }, 500, ''],
    ['rate limit', { kind: 'rate_limit', variant: 80004 }, 400, '80004'],
    ['outage', { kind: 'unavailable' }, 500, '"is_transient":true'],
    ['html', { kind: 'html' }, 502, '<!DOCTYPE html>'],
    ['a variant the platform does not have', { kind: 'rate_limit', variant: 'per_minute' }, 501, 'sandboxError'],
  ])('%s', async (_title, given, status, text) => {
    await fault(given, { times: 1 });
    const reply = await post();
    expect(reply.status).toBe(status);
    expect(await reply.text()).toContain(text);
    expect(await accepted()).toBe(0);
    expect((await post()).status).toBe(200);
    expect((await control(app, 'GET', 'summary')).json.meta.answered).toEqual({ [status]: 1, 200: 1 });
  });

  it('carries the scripted and the documented headers', async () => {
    await fault({ kind: 'status', status: 503, headers: { 'retry-after': '7' } }, { times: 1 });
    expect((await post()).headers.get('retry-after')).toBe('7');
    await fault({ kind: 'rate_limit', variant: '80004', regainMinutes: 2 });
    expect((await post()).headers.get('x-business-use-case-usage')).toContain('"estimated_time_to_regain_access":2');
  });
});

describe('the connection', () => {
  it('reset before: nothing was taken', async () => {
    await fault({ kind: 'reset' });
    await expect(post()).rejects.toThrow('fetch failed');
    expect(await accepted()).toBe(0);
  });

  it('reset after: taken, but the sender does not learn of it', async () => {
    await fault({ kind: 'reset', when: 'after' });
    await expect(post()).rejects.toThrow('fetch failed');
    expect(await accepted()).toBe(4);
  });

  it('hang: no answer until the client leaves, and nothing taken', async () => {
    await fault({ kind: 'hang' });
    await expect(post({ signal: AbortSignal.timeout(150) })).rejects.toThrow('timeout');
    expect(await accepted()).toBe(0);
  });

  it('closes while a request hangs', async () => {
    await fault({ kind: 'hang' });
    const pending = post();
    await expect.poll(async () => (await control(app, 'GET', 'faults')).json.faults[0].hits).toBe(1);
    await app.close();
    await expect(pending).rejects.toThrow('fetch failed');
  });

  it('trickle: the whole answer, byte by byte', async () => {
    await fault({ kind: 'trickle', msPerByte: 1 });
    const { hostname, port } = new URL(url);
    const body = JSON.stringify({ data: events(1) });
    const head = `POST ${EVENTS_URL}?access_token=sandbox-meta-token HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    const parts: string[] = [];
    const socket = connect(Number(port), hostname, () => socket.write(head + body));
    for await (const part of socket) parts.push(String(part));
    expect(parts.join('')).toContain('"events_received":1');
    expect(parts.length).toBeGreaterThan(10);
  });

  it('truncate: a 200 with half a document, which was taken', async () => {
    await fault({ kind: 'truncate' });
    const reply = await post();
    expect(reply.status).toBe(200);
    const text = await reply.text();
    expect(text).toContain('{"ev');
    expect(() => JSON.parse(text)).toThrow('JSON');
    expect(await accepted()).toBe(4);
  });
});

it('latency delays the platform\'s own answer and goes with another fault', async () => {
  await fault({ kind: 'latency', ms: 60 });
  const startedAt = performance.now();
  expect((await post()).status).toBe(200);
  expect(performance.now() - startedAt).toBeGreaterThan(55);
  await fault({ kind: 'status', status: 500 });
  expect((await post()).status).toBe(500);
});

it.each([[4, 2], [1, 0]])('partial: of %d events %d are acknowledged and taken', async (sent, taken) => {
  await fault({ kind: 'partial' }, { times: 1 });
  const reply = await send(app, { data: events(sent) });
  expect(reply).toMatchObject({ status: 200, json: { events_received: taken } });
  expect(await accepted()).toBe(taken);
});

describe('matching', () => {
  it.each<[object, boolean]>([
    [{ path: '/events' }, true],
    [{ path: '/token' }, false],
    [{ destinationId: PIXEL }, true],
    [{ destinationId: '2' }, false],
    [{ token: 'sandbox-meta-token' }, true],
    [{ token: 'other' }, false],
    [{ eventId: 'e3' }, true],
    [{ eventId: 'e9' }, false],
    [{ eventId: 'e3', destinationId: '2' }, false],
  ])('%o: %s', async (match, hit) => {
    await fault({ kind: 'status', status: 418 }, { match });
    expect((await post()).status).toBe(hit ? 418 : 200);
  });

  it('goes to the oldest rule, leaves other platforms alone, and ends when removed', async () => {
    await fault({ kind: 'status', status: 500 }, { platform: 'google' });
    const id = await fault({ kind: 'status', status: 501 });
    await fault({ kind: 'status', status: 502 });
    expect((await post()).status).toBe(501);
    expect((await control(app, 'DELETE', `faults/${id}`)).status).toBe(200);
    expect((await post()).status).toBe(502);
    await control(app, 'DELETE', 'faults');
    expect((await post()).status).toBe(200);
    expect((await control(app, 'DELETE', `faults/${id}`)).status).toBe(404);
  });
});
