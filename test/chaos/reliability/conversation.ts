import { waitFor } from '@relay/testkit';
import { expect } from 'vitest';
import { aPhone } from '../../e2e/whatsapp-kit.ts';
import type { Stack } from './stack.ts';

/** A WhatsApp conversation that an ad brought, ready for conversions; resolves with its id. */
export async function openConversation(stack: Pick<Stack, 'call' | 'sandbox'>): Promise<string> {
  const id = 'crm-1';
  expect((await stack.call('POST', '/v1/whatsapp/dataset', { accountId: 'acc_wa' })).status).toBe(200);
  const { ctwaClid } = await stack.sandbox.tap({ waId: aPhone() });
  expect((await stack.call('PUT', `/v1/whatsapp/conversations/${id}`, { accountId: 'acc_wa', metadata: { ctwa_clid: ctwaClid } })).status).toBe(201);
  return id;
}

interface Letter {
  readonly reason: string;
  readonly code: string;
  readonly message: string;
  readonly eventIds: readonly string[];
}

/** Events of WhatsApp's dead letters of reason `unknown`, where nobody knows whether Meta took them, and what the letter says; there may be no other letters. */
export async function unknownConversions(stack: Pick<Stack, 'call'>): Promise<ReadonlyMap<string, string>> {
  const unknown = new Map<string, string>();
  let cursor: string | undefined;
  do {
    const path = `/v1/dead-letters?platform=whatsapp&limit=200${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
    // A connection that fell silent while nobody used it is found out, with a 503, by the first who does.
    const page = await waitFor(async () => {
      const answer = await stack.call('GET', path);
      return answer.status === 200 && answer;
    }, { timeoutMs: 40_000, what: 'the dead letters' });
    for (const { reason, code, message, eventIds } of page.body.deadLetters as readonly Letter[]) {
      expect(reason).toBe('unknown');
      for (const id of eventIds) unknown.set(id, `${code}: ${message}`);
    }
    cursor = (page.body.nextCursor as string | null | undefined) ?? undefined;
  } while (cursor !== undefined);
  return unknown;
}
