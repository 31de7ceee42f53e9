import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisConnection } from '@relay/redis';

export const PLATFORMS = ['metaads', 'googleads', 'linkedinads', 'whatsapp'] as const;
export type Platform = (typeof PLATFORMS)[number];

const SAMPLE_MS = 50;

export interface LedgerRow {
  readonly accepted: number;
  readonly delivered: number;
  readonly dead: number;
  readonly held: number;
  readonly pending: number;
}

/** What was seen of the ledgers beside the scenario. */
export interface Sampled {
  looks: number;
  /** Rows whose sum was wrong. */
  readonly wrong: string[];
}

export function rowOf(hash: Readonly<Record<string, string>>): LedgerRow {
  const of = (name: string) => Number(hash[name] ?? 0);
  return { accepted: of('accepted'), delivered: of('delivered'), dead: of('dead'), held: of('held'), pending: of('pending') };
}

export function sumOf(rows: readonly LedgerRow[]): LedgerRow {
  const of = (name: keyof LedgerRow) => rows.reduce((sum, row) => sum + row[name], 0);
  return { accepted: of('accepted'), delivered: of('delivered'), dead: of('dead'), held: of('held'), pending: of('pending') };
}

/** Looks at every ledger again and again until the scenario ends. A ledger is one hash, read whole: its sum has to be right in each look. */
export function sampleBooks(parts: AsyncDisposableStack, rows: (platform: Platform) => Promise<readonly LedgerRow[]>): Sampled {
  const sampled: Sampled = { looks: 0, wrong: [] };
  const over = new AbortController();
  const look = async (platform: Platform) => {
    for (const row of await rows(platform)) {
      if (row.accepted !== row.delivered + row.dead + row.held + row.pending) sampled.wrong.push(`${platform} ${JSON.stringify(row)}`);
    }
  };
  void (async () => {
    while (!over.signal.aborted) {
      // While Redis is away there is nothing to see.
      const seen = await Promise.all(PLATFORMS.map(look)).then(() => true, () => false);
      if (seen) sampled.looks += 1;
      await sleep(SAMPLE_MS);
    }
  })();
  parts.defer(() => over.abort());
  return sampled;
}

/** Deliveries with a job that has no final answer yet, as Redis has it. One lane only. */
export async function openDeliveries(redis: RedisConnection): Promise<ReadonlySet<string>> {
  const open = new Set<string>();
  for (const platform of PLATFORMS) {
    const jobs = await redis.zrange(`{relay}:open:${platform}`, '0', '-1');
    const all = await Promise.all(jobs.map((job) => redis.hget(`{relay}:${platform}:${job}`, 'data')));
    // One without data got its answer between the two looks.
    for (const data of all) if (data !== null) for (const { d } of (JSON.parse(data) as { p: { d: string }[] }).p) open.add(d);
  }
  return open;
}
