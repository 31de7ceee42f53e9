import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@relay/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freshIds } from '../../e2e/events.ts';
import { expectBooksAtAnyMoment } from './books.ts';
import { openConversation, unknownConversions } from './conversation.ts';
import { startRedisNode } from './redis-node.ts';
import { chanceFor, isLong, report } from './scenario.ts';
import { startStack } from './stack.ts';

let parts: AsyncDisposableStack;
beforeEach(() => {
  parts = new AsyncDisposableStack();
});
afterEach(() => parts.disposeAsync());

describe.runIf(isLong)('in the long form', () => {
  test('WhatsApp conversions while workers are killed: none goes twice, and none is forgotten', { timeout: 180_000 }, async () => {
    const chance = chanceFor('whatsapp');
    const redis = await startRedisNode(parts);
    const stack = await startStack(parts, { redisUrl: redis.url, apis: 1, workers: 2 });
    const conversationId = await openConversation(stack);

    await stack.sandbox.fault({ platform: 'meta', match: { path: '/events' }, fault: { kind: 'latency', ms: 150 } });
    const ids = freshIds('wa', 400);
    for (const eventId of ids) {
      const { status } = await stack.call('POST', '/v1/whatsapp/conversions', { accountId: 'acc_wa', eventName: 'LeadSubmitted', conversationId, eventId }, { prefer: 'respond-async' });
      expect(status).toBe(202);
    }
    const kills = 5;
    for (let i = 0; i < kills; i += 1) {
      await sleep(chance.between(300, 1_500));
      const victim = chance.pick(stack.workers);
      expect((await stack.ledger('whatsapp')).pending).toBeGreaterThan(0);
      await victim.end('SIGKILL');
      await sleep(chance.between(0, 300));
      await victim.start();
    }
    const killedAt = Date.now();
    await waitFor(async () => (await stack.ledger('whatsapp')).pending === 0, { timeoutMs: 90_000, what: 'every conversion to have its final answer' });
    const recoveryMs = Date.now() - killedAt;

    const { accepted, delivered, dead, held } = await stack.ledger('whatsapp');
    expect([accepted, delivered + dead, held]).toEqual([400, 400, 0]);
    expectBooksAtAnyMoment(stack);
    const taken = await stack.sandbox.timesTaken('meta', ids);
    const duplicates = [...taken.values()].reduce((sum, times) => sum + times - 1, 0);
    expect(duplicates).toBe(0);
    const unknown = await unknownConversions(stack);
    expect(unknown.size).toBe(dead);
    // Two requests in flight per destination and worker, and only those of the worker that was killed.
    expect(dead).toBeLessThanOrEqual(kills * 2);
    const lost = ids.filter((id) => !taken.has(id) && !unknown.has(id)).length;
    expect(lost).toBe(0);
    report('crash', { scenario: 'WhatsApp: SIGKILL of workers', events: 400, kills, lost, duplicates, recoveryMs, note: `${dead} in flight at a kill: dead letters (unknown), never sent again` });
  });
});
