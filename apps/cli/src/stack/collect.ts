import type { RelayClient } from '../http.ts';
import { asRecord, listIn, textIn, type Json } from '../json.ts';
import type { Counts } from './check.ts';
import { readMetrics } from './prometheus.ts';
import type { SandboxControl } from './sandbox-control.ts';
import type { Stack } from './stack.ts';

const PAGE = 100;

export async function allLetters(client: RelayClient): Promise<Json[]> {
  const letters: Json[] = [];
  let cursor: string | undefined;
  do {
    const { body } = await client.call({ path: '/v1/dead-letters', query: { limit: PAGE, cursor } });
    letters.push(...listIn(body, 'deadLetters'));
    cursor = textIn(asRecord(body), 'nextCursor') || undefined;
  } while (cursor !== undefined);
  return letters;
}

export async function newestRows(client: RelayClient, accountIds: readonly string[], limit: number): Promise<Record<string, readonly Json[]>> {
  const rows: Record<string, readonly Json[]> = {};
  for (const accountId of accountIds) {
    const { body } = await client.call({ path: '/v1/ads/conversions', query: { accountId, limit } });
    rows[accountId] = listIn(body, 'conversions');
  }
  return rows;
}

/** Counters live in the process that counts: accepted in the api, delivered in the worker. */
export async function readCounts(stack: Stack, control: SandboxControl): Promise<Counts> {
  const [sandbox, faults, api, worker] = await Promise.all([control.summary(), control.faults(), readMetrics(stack.apiUrl), readMetrics(stack.workerUrl)]);
  return { sandbox, faults, samples: [...api, ...worker] };
}
