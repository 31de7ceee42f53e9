import { once } from 'node:events';
import { workerData } from 'node:worker_threads';
import { RelayError, sendConversionsSchema, type SendConversions } from '@relay/contract';
import { acceptEvents, duplicateEventIds } from '@relay/delivery';
import { PLATFORMS } from '@relay/platforms';
import { packRequest } from '@relay/redis/pack';
import { createSealer, freeMemory } from '@relay/runtime';
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { compileValidator } from '../json/compile-schemas.ts';
import { parseBody } from '../json/parse-body.ts';
import type { Outcome, Target, Task, ThreadSettings } from './task.ts';

/** Runs in a thread of the pool: everything that is done with each event of a large body, from its bytes to its sealed chunks. */

const { secretKeys, isIndexed } = workerData as ThreadSettings;
const packing = { sealer: createSealer(secretKeys), isIndexed };
const validate = compileValidator({ schema: sendConversionsSchema, method: 'POST', url: '', httpPart: 'body' });

export async function ingest({ raw, port }: Task): Promise<unknown> {
  try {
    const body = checked(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength));
    freeMemory(raw);
    port.postMessage({ accountId: body.accountId, destinationId: body.destinationId });
    const [target] = (await once(port, 'message')) as [Target | undefined];
    return target === undefined ? ({ kind: 'refused' } satisfies Outcome) : handedOver(accept(body, target));
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    return { kind: 'fault', code: error.code, message: error.message, extras: error.extras } satisfies Outcome;
  } finally {
    port.close();
  }
}

function checked(raw: Buffer): SendConversions {
  const result = validate(parseBody(raw, true)) as { readonly value: SendConversions } | { readonly error: RelayError };
  if ('error' in result) throw result.error;
  return result.value;
}

function accept({ events, testCode, consent }: SendConversions, { platform, accountId, destinationId, deliveryId, nowMs }: Target): Outcome & { readonly kind: 'packed' } {
  const accepted = acceptEvents({ accountId, definition: PLATFORMS[platform], destinationId, events, testCode, consent, nowMs });
  return { kind: 'packed', request: packRequest(accepted, deliveryId, packing), duplicates: duplicateEventIds(events) };
}

/** The chunks' bytes change hands instead of being copied; small ones lie in memory that they share with others. */
function handedOver(outcome: Outcome & { readonly kind: 'packed' }): unknown {
  const own = outcome.request.chunks.map(({ data }) => data).filter(({ byteLength, buffer }) => byteLength === buffer.byteLength);
  return move({ [transferableSymbol]: own.map(({ buffer }) => buffer), [valueSymbol]: outcome });
}
