import { describe, expect, it } from 'vitest';
import { toBatches, type Batch, type LineFault } from './batches.ts';
import type { Row } from './read-events.ts';

async function batchesOf(rows: readonly Row[], maxEvents: number): Promise<{ batches: Batch[]; faults: LineFault[] }> {
  async function* all(): AsyncGenerator<Row> {
    yield* rows;
  }
  const batches: Batch[] = [];
  const faults: LineFault[] = [];
  for await (const batch of toBatches(all(), { maxEvents, rebaseTo: 100, onFault: (fault) => faults.push(fault) })) batches.push(batch);
  return { batches, faults };
}

describe('toBatches', () => {
  it('fills batches and remembers where each event stood', async () => {
    const rows = [1, 2, 3].map((n) => ({ place: n * 10, value: { eventId: `e${n}`, secondsAgo: n } }));
    const { batches } = await batchesOf(rows, 2);
    expect(batches.map(({ index, places }) => [index, places])).toEqual([[0, [10, 20]], [1, [30]]]);
    expect(batches[1]?.events).toEqual(['{"eventId":"e3","eventTime":97}']);
  });

  it('leaves out what is no event and says so', async () => {
    const { batches, faults } = await batchesOf([{ place: 1, fault: 'is not JSON' }, { place: 2, value: 7 }, { place: 3, value: {} }], 10);
    expect(faults).toEqual([{ place: 1, fault: 'is not JSON' }, { place: 2, fault: 'is not a JSON object' }]);
    expect(batches.map((batch) => batch.places)).toEqual([[3]]);
  });

  it('closes a batch that grows too large for one request', async () => {
    const big = { text: 'x'.repeat(5_000_000) };
    const { batches } = await batchesOf([1, 2, 3].map((place) => ({ place, value: big })), 1000);
    expect(batches).toHaveLength(3);
  });
});
