import { setTimeout as delay } from 'node:timers/promises';
import { ApiError, UnreachableError } from '../faults.ts';
import type { Answer, RelayClient } from '../http.ts';

export interface SendTarget {
  readonly accountId: string;
  readonly destinationId: string;
  readonly testCode?: string | undefined;
  readonly consent?: Readonly<Record<string, string>> | undefined;
}

export interface PostOptions {
  readonly client: RelayClient;
  readonly target: SendTarget;
  /** `Prefer` header; undefined: the relay's own wait. */
  readonly prefer: string | undefined;
  readonly timeoutMs: number;
  /** For how long one request is tried again after 429, 503 or a broken connection. */
  readonly retryBudgetMs: number;
  onRetry?(why: string, waitMs: number): void;
}

const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 15_000;

/**
 * Posts one batch. Tried again with the same Idempotency-Key, so that a request whose answer was lost is not relayed
 * twice: after 429 and 503 (as `Retry-After` says) and when no answer came.
 */
export async function postBatch(events: readonly string[], idempotencyKey: string, options: PostOptions): Promise<Answer> {
  const { client, prefer, timeoutMs } = options;
  const body = bodyOf(options.target, events);
  const headers = { 'idempotency-key': idempotencyKey, ...(prefer === undefined ? {} : { prefer }) };
  const until = performance.now() + options.retryBudgetMs;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await client.call({ method: 'POST', path: '/v1/ads/conversions', body, headers, timeoutMs });
    } catch (error) {
      const waitMs = waitBefore(error, attempt);
      if (waitMs === undefined || performance.now() + waitMs > until) throw error;
      options.onRetry?.((error as Error).message, waitMs);
      await delay(waitMs);
    }
  }
}

/** The events are JSON already: joined, not parsed and written again. */
export function bodyOf(target: SendTarget, events: readonly string[]): string {
  const head = JSON.stringify({ ...target, events: [] });
  return `${head.slice(0, -2)}${events.join(',')}]}`;
}

/** Ms until the next try; undefined: trying again would not help. */
function waitBefore(error: unknown, attempt: number): number | undefined {
  const backoffMs = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt) * (0.5 + Math.random() / 2);
  if (error instanceof UnreachableError) return backoffMs;
  if (error instanceof ApiError && (error.status === 429 || error.status === 503)) return error.retryAfterMs ?? backoffMs;
  return undefined;
}
