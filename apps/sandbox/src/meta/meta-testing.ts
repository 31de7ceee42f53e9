import type { FastifyInstance } from 'fastify';

import { buildSandbox } from '../build-sandbox.ts';
import { SEED } from '../seed.ts';
import { metaEmulator } from './index.ts';

/** Builders for this folder's tests: each test names only what it is about. */

export const EM = '62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f';
export const PIXEL = SEED.meta.pixels[0];
export const EVENTS_URL = `/meta/v25.0/${PIXEL}/events`;
const DAY_SECONDS = 86_400;

export const secondsAgo = (seconds: number) => Math.floor(Date.now() / 1000) - seconds;
export const daysAgo = (days: number) => secondsAgo(days * DAY_SECONDS);

/** A member set to `undefined` is absent on the wire. */
export function anEvent(over: Record<string, unknown> = {}): Record<string, unknown> {
  return { event_name: 'Lead', event_time: secondsAgo(10), event_id: 'e1', action_source: 'system_generated', user_data: { em: [EM] }, ...over };
}

export const events = (count: number, prefix = 'e') => Array.from({ length: count }, (_, at) => anEvent({ event_id: `${prefix}${at}` }));

export const metaSandbox = () => buildSandbox({ emulators: [metaEmulator()], logLevel: 'silent' }).app;

export interface Sent {
  readonly url?: string;
  readonly token?: string;
  readonly headers?: Record<string, string>;
}

export async function send(app: FastifyInstance, body: object | string, { url = EVENTS_URL, token = SEED.meta.accessToken, headers = {} }: Sent = {}) {
  const reply = await app.inject({
    method: 'POST',
    url,
    payload: body,
    headers: { 'content-type': 'application/json', ...(token === '' ? {} : { authorization: `Bearer ${token}` }), ...headers },
  });
  return { status: reply.statusCode, headers: reply.headers, text: reply.body, json: reply.json() };
}

export async function control(app: FastifyInstance, method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, body?: object) {
  const reply = await app.inject({ method, url: `/_control/${path}`, ...(body === undefined ? {} : { payload: body }) });
  return { status: reply.statusCode, json: reply.json() };
}
