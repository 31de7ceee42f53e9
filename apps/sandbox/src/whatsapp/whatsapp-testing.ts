import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { FastifyInstance } from 'fastify';

import { control, secondsAgo, send } from '../meta/meta-testing.ts';
import { SEED } from '../seed.ts';

/** Builders for this folder's tests: each test names only what it is about. */

export const { wabaId: WABA, accessToken: TOKEN, pageId: PAGE } = SEED.meta.whatsapp;

interface EdgeCall {
  readonly waba?: string;
  readonly token?: string;
  readonly version?: string;
}

export async function edge(app: FastifyInstance, method: 'GET' | 'POST', { waba = WABA, token = TOKEN, version = 'v25.0' }: EdgeCall = {}) {
  const reply = await app.inject({ method, url: `/meta/${version}/${waba}/dataset`, headers: { authorization: `Bearer ${token}` } });
  return { status: reply.statusCode, json: reply.json() };
}

/** A dataset of the seeded account; answers its id. */
export async function aDataset(app: FastifyInstance): Promise<string> {
  return (await edge(app, 'POST')).json.id as string;
}

/** A tap without a webhook; answers its click id. */
export async function aClick(app: FastifyInstance, tap: object = {}): Promise<string> {
  return (await control(app, 'POST', 'whatsapp/click', { adId: '120226305854810726', waId: '4915112345678', ...tap })).json.ctwaClid as string;
}

/** A purchase as the messaging guide has it. A member set to `undefined` is absent on the wire. */
export function aMessagingEvent(clid: string, user: object = {}, over: object = {}): Record<string, unknown> {
  return {
    event_name: 'Purchase',
    event_time: secondsAgo(10),
    event_id: 'e1',
    action_source: 'business_messaging',
    messaging_channel: 'whatsapp',
    user_data: { whatsapp_business_account_id: WABA, ctwa_clid: clid, ...user },
    custom_data: { currency: 'EUR', value: 49.9 },
    ...over,
  };
}

export const sendTo = (app: FastifyInstance, dataset: string, event: unknown) => send(app, { data: [event] }, { url: `/meta/v25.0/${dataset}/events`, token: TOKEN });

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly signature: string | undefined;
  readonly body: string;
}

/** What a relay would be: notes what comes, and answers with `answer`. */
export async function aReceiver(answer: (request: Received) => { readonly status: number; readonly body?: string } = () => ({ status: 200 })) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const signature = request.headers['x-hub-signature-256'];
      const one = { method: request.method ?? '', url: request.url ?? '', signature: typeof signature === 'string' ? signature : undefined, body: Buffer.concat(parts).toString() };
      received.push(one);
      const { status, body } = answer(one);
      response.writeHead(status).end(body);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/whatsapp`;
  return {
    url,
    received,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
