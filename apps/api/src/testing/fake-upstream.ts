import type { OutboundRequest } from '@relay/contract';
import type { Send, TokenCache } from '@relay/delivery';
import type { ActionCache, CachedActions } from '@relay/redis';
import { T0 } from './fake-accounts.ts';

export type Scripted = { readonly status?: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> } | 'timeout' | 'connect_failed' | 'connection_reset' | 'reply_too_large';

/** A platform that answers by what `answer` says to `METHOD path?query` and the body; everything asked is kept. */
export function fakeUpstream(answer: (line: string, body: unknown, request: OutboundRequest) => Scripted | Promise<Scripted>) {
  const requests: OutboundRequest[] = [];
  const lineOf = ({ method, url }: OutboundRequest) => `${method} ${url.replace(/^https:\/\/[^/]+/, '')}`;
  const send: Send = async (given) => {
    const request = given as OutboundRequest; // events are sent by workers
    requests.push(request);
    const said = await answer(lineOf(request), bodyOf(request), request);
    if (typeof said === 'string') return { kind: 'failed', code: said, message: 'The platform did not answer.', bodySent: said !== 'connect_failed', tookMs: 1 };
    const { status = 200, body = {}, headers = {} } = said;
    return { kind: 'reply', reply: { status, headers, body: typeof body === 'string' ? body : JSON.stringify(body), receivedAtMs: T0 }, tookMs: 1 };
  };
  return Object.assign(send, { requests, lines: () => requests.map(lineOf) });
}

function bodyOf({ body, headers }: OutboundRequest): unknown {
  return body === undefined || headers['content-type'] !== 'application/json' ? body : JSON.parse(body);
}

export function fakeTokens(): TokenCache & { readonly rows: Map<string, string> } {
  const rows = new Map<string, string>();
  return {
    rows,
    get: async (accountId, revision) => rows.get(`${accountId} ${revision}`),
    put: async (accountId, revision, accessToken) => void rows.set(`${accountId} ${revision}`, accessToken),
    drop: async (accountId, accessToken) => {
      for (const [key, token] of rows) if (key.startsWith(`${accountId} `) && token === accessToken) rows.delete(key);
    },
    lock: async () => ({ release: async () => undefined }),
  };
}

export function fakeActionCache(): ActionCache {
  const rows = new Map<string, CachedActions<unknown> & { isOutdated: boolean }>();
  return {
    get: async (...key) => rows.get(key.join(' ')),
    put: async (accountId, state, name, answer) => void rows.set([accountId, state, name].join(' '), { ...answer, isOutdated: false }),
    outdate: async (accountId) => {
      for (const [key, row] of rows) if (key.startsWith(`${accountId} `)) row.isOutdated = true;
    },
  };
}
