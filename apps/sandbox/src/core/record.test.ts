import { expect, it } from 'vitest';

import { createCounts } from './counts.ts';
import { createRecord } from './record.ts';

it('counts repeats, and events without an id apart', () => {
  const counts = createCounts();
  expect([counts.add('a'), counts.add('b'), counts.add('a'), counts.add('')]).toEqual([1, 1, 2, 1]);
  expect(counts).toMatchObject({ total: 4, unique: 2, anonymous: 1 });
  expect([counts.timesOf('a'), counts.timesOf('c')]).toEqual([2, 0]);
  expect(Object.fromEntries(counts.entries())).toEqual({ a: 2, b: 1 });
});

it('keeps the newest ten thousand requests', () => {
  const record = createRecord();
  for (let at = 0; at < 10_003; at += 1) record.requested({ platform: 'google', route: '/', status: 200, events: at, bytes: 0, tookMs: 0 });
  const all = record.requests(undefined, 20_000);
  expect(all).toHaveLength(10_000);
  expect([all.at(0)?.events, all.at(-1)?.events]).toEqual([10_002, 3]);
  expect(record.requests('meta', 10)).toEqual([]);
});

it('takes several destinations in one request', () => {
  const record = createRecord();
  const event = (destinationId: string, eventId: string) => ({ destinationId, eventId });
  record.accept({ platform: 'google', traceId: 't', events: [event('1', 'a'), event('2', 'a'), event('1', 'a')] });
  expect(record.accepted({ limit: 10 })).toEqual({
    total: 3,
    unique: 2,
    duplicates: 1,
    events: [
      { platform: 'google', destinationId: '1', eventId: 'a', times: 2 },
      { platform: 'google', destinationId: '2', eventId: 'a', times: 1 },
    ],
  });
});
