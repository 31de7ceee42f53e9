import { setTimeout as delay } from 'node:timers/promises';
import type { RelayClient } from '../http.ts';
import { asRecord, textIn, type Json } from '../json.ts';

const FINAL: ReadonlySet<string> = new Set(['delivered', 'partial', 'failed']);
const LOOK_EVERY_MS = 200;
const AT_A_TIME = 16;

/** The state of every delivery once all are final, or what is known at the deadline. In the order given. */
export async function awaitFinal(client: RelayClient, deliveryIds: readonly string[], timeoutMs: number): Promise<readonly Json[]> {
  const known = new Map<string, Json>();
  const until = performance.now() + timeoutMs;
  for (;;) {
    const open = deliveryIds.filter((id) => !isFinal(known.get(id)));
    for (let at = 0; at < open.length; at += AT_A_TIME) {
      const states = await Promise.all(open.slice(at, at + AT_A_TIME).map((id) => stateOf(client, id)));
      for (const state of states) known.set(textIn(state, 'deliveryId'), state);
    }
    const done = deliveryIds.every((id) => isFinal(known.get(id)));
    if (done || performance.now() > until) return deliveryIds.map((id) => known.get(id) ?? {});
    await delay(LOOK_EVERY_MS);
  }
}

async function stateOf(client: RelayClient, deliveryId: string): Promise<Json> {
  return asRecord((await client.call({ path: `/v1/deliveries/${encodeURIComponent(deliveryId)}` })).body);
}

function isFinal(state: Json | undefined): boolean {
  return state !== undefined && FINAL.has(textIn(state, 'status'));
}
