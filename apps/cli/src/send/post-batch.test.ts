import { describe, expect, it } from 'vitest';
import { createClient } from '../http.ts';
import { stubRelay, type StubReply } from '../testing/stub-relay.ts';
import { bodyOf, postBatch } from './post-batch.ts';

const target = { accountId: 'acc', destinationId: 'dest' };

async function post(answers: readonly StubReply[], retryBudgetMs = 10_000) {
  await using relay = await stubRelay((_request, count) => answers[Math.min(count, answers.length) - 1]!);
  const client = createClient({ baseUrl: relay.url, apiKey: 'rk' });
  const options = { client, target, prefer: 'wait=2', timeoutMs: 5_000, retryBudgetMs };
  const result = await postBatch(['{"eventId":"e1"}'], 'run-0', options).catch((error: unknown) => error as Error);
  return { result, seen: relay.seen };
}

describe('postBatch', () => {
  it.each([
    ['429', { status: 429, headers: { 'retry-after': '0' }, body: { error: 'Slow down.' } }],
    ['503', { status: 503, headers: { 'retry-after': '0.05' }, body: { error: 'Redis is away.' } }],
    ['a broken connection', { hangUp: true }],
  ])('tries again after %s with the same key and body', async (_name, first) => {
    const { result, seen } = await post([first, { body: { eventsReceived: 1 } }]);
    expect(result).toEqual({ status: 200, body: { eventsReceived: 1 } });
    expect(seen).toHaveLength(2);
    expect(seen.map(({ headers }) => [headers['idempotency-key'], headers['prefer']])).toEqual([['run-0', 'wait=2'], ['run-0', 'wait=2']]);
    expect(seen[1]?.body).toBe(seen[0]?.body);
  });

  it.each([400, 401, 409, 422, 500])('does not repeat a request that was answered with %i', async (status) => {
    const { result, seen } = await post([{ status, body: { error: 'No.' } }]);
    expect(result).toMatchObject({ name: 'ApiError', status, message: 'No.' });
    expect(seen).toHaveLength(1);
  });

  it('gives up when the hint lies beyond the budget', async () => {
    const { result, seen } = await post([{ status: 429, headers: { 'retry-after': '60' }, body: { error: 'Slow down.' } }], 1_000);
    expect(result).toMatchObject({ status: 429, retryAfterMs: 60_000 });
    expect(seen).toHaveLength(1);
  });
});

describe('bodyOf', () => {
  it('joins events that are JSON already', () => {
    const body = bodyOf({ ...target, testCode: 'T1', consent: { adUserData: 'DENIED' } }, ['{"eventId":"a"}', '{"eventId":"b"}']);
    expect(JSON.parse(body)).toEqual({ ...target, testCode: 'T1', consent: { adUserData: 'DENIED' }, events: [{ eventId: 'a' }, { eventId: 'b' }] });
  });
});
