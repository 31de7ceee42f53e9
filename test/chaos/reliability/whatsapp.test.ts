import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@relay/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freshIds } from '../../e2e/events.ts';
import { aPhone } from '../../e2e/whatsapp-kit.ts';
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
    expect((await stack.call('POST', '/v1/whatsapp/dataset', { accountId: 'acc_wa' })).status).toBe(200);
    const { ctwaClid } = await stack.sandbox.tap({ waId: aPhone() });
    const conversation = await stack.call('PUT', '/v1/whatsapp/conversations/crm-1', { accountId: 'acc_wa', metadata: { ctwa_clid: ctwaClid } });
    expect(conversation.status).toBe(201);

    await stack.sandbox.fault({ platform: 'meta', match: { path: '/events' }, fault: { kind: 'latency', ms: 150 } });
    const ids = freshIds('wa', 400);
    for (const eventId of ids) {
      const { status } = await stack.call('POST', '/v1/whatsapp/conversions', { accountId: 'acc_wa', eventName: 'LeadSubmitted', conversationId: 'crm-1', eventId }, { prefer: 'respond-async' });
      expect(status).toBe(202);
    }
    const kills = 5;
    for (let i = 0; i < kills; i += 1) {
      await sleep(chance.between(300, 1_500));
      const victim = chance.pick(stack.workers);
      await victim.end('SIGKILL');
      await sleep(chance.between(0, 300));
      await victim.start();
    }
    const killedAt = Date.now();
    await waitFor(async () => (await stack.ledger('whatsapp')).pending === 0, { timeoutMs: 90_000, what: 'every conversion to have its final answer' });
    const recoveryMs = Date.now() - killedAt;

    const { accepted, delivered, dead, held } = await stack.ledger('whatsapp');
    expect([accepted, delivered + dead, held]).toEqual([400, 400, 0]);
    const taken = await stack.sandbox.timesTaken('meta', ids);
    expect([...taken.values()].filter((times) => times > 1)).toEqual([]);
    const letters = (await stack.call('GET', '/v1/dead-letters?platform=whatsapp&limit=200')).body.deadLetters as { readonly reason: string; readonly eventIds: readonly string[] }[];
    expect(new Set(letters.map(({ reason }) => reason))).toEqual(new Set(['unknown']));
    const unknown = new Set(letters.flatMap(({ eventIds }) => eventIds));
    expect(unknown.size).toBe(dead);
    // Two requests in flight per destination and worker, and only those of the worker that was killed.
    expect(dead).toBeLessThanOrEqual(kills * 2);
    const lost = ids.filter((id) => !taken.has(id) && !unknown.has(id)).length;
    expect(lost).toBe(0);
    report('crash', { scenario: 'WhatsApp: SIGKILL of workers', events: 400, kills, lost, duplicates: 0, recoveryMs, note: `${dead} in flight at a kill: dead letters (unknown), never sent again` });
  });
});
