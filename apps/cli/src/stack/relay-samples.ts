import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { RelayClient } from '../http.ts';
import { asRecord, textIn, type Json } from '../json.ts';
import { toBatches } from '../send/batches.ts';
import { postBatch, type PostOptions } from '../send/post-batch.ts';
import { openEventFile } from '../send/read-events.ts';
import { prepareEvent } from '../send/rebase.ts';
import { sendBatches } from '../send/send-file.ts';
import { createTally } from '../send/tally.ts';
import type { FilePlan, SinglesPlan } from './manifest.ts';
import { SAMPLES } from './paths.ts';

/** A client request that the relay has accepted. */
export interface SentRequest {
  readonly deliveryId: string;
  /** Index into the manifest's `files` or `singles`. */
  readonly of: 'files' | 'singles';
  readonly index: number;
}

const CONCURRENCY = 4;
const ANSWER_MS = 60_000;
const RETRY_MS = 20_000;

const nobody: NodeJS.ReadableStream = process.stdin; // The samples are files; standard input is never read.

function optionsFor(client: RelayClient, target: PostOptions['target'], prefer: string | undefined): PostOptions {
  return { client, target, prefer, timeoutMs: ANSWER_MS, retryBudgetMs: RETRY_MS };
}

/** Relays one file in client batches, answered as soon as they are queued. */
export async function relayFile(client: RelayClient, plan: FilePlan, index: number): Promise<SentRequest[]> {
  const file = await openEventFile(join(SAMPLES, plan.file), nobody);
  const tally = createTally();
  const batches = toBatches(file.rows, { maxEvents: plan.batch, rebaseTo: nowSeconds(), onFault: tally.badLine });
  await sendBatches(batches, tally, {
    ...optionsFor(client, { accountId: plan.accountId, destinationId: plan.destinationId }, 'respond-async'),
    concurrency: CONCURRENCY,
    idempotencyPrefix: `demo-${randomUUID()}`,
  });
  const { deliveries, refusals, lineFaults } = tally.summary();
  const trouble = [...refusals.map(({ message }) => message), ...lineFaults.map(({ place, fault }) => `line ${place} ${fault}`)];
  if (trouble.length > 0) throw new Error(`${plan.file} could not be relayed: ${trouble[0]}`);
  return deliveries.map(({ deliveryId }) => ({ deliveryId, of: 'files', index }));
}

/** Sends the first events of a file one by one, all at the same time, each waiting for its own answer. */
export async function relaySingles(client: RelayClient, plan: SinglesPlan, index: number): Promise<SentRequest[]> {
  const events = await firstEvents(plan);
  return Promise.all(
    events.map(async (event, n): Promise<SentRequest> => {
      const target = { accountId: plan.accountId, destinationId: plan.destinationIds[n % plan.destinationIds.length] ?? '' };
      const text = JSON.stringify({ ...event, eventId: `${textIn(event, 'eventId')}${plan.idSuffix}` });
      const { body } = await postBatch([text], `demo-${randomUUID()}`, optionsFor(client, target, undefined));
      return { deliveryId: textIn(asRecord(body), 'deliveryId'), of: 'singles', index };
    }),
  );
}

async function firstEvents(plan: SinglesPlan): Promise<Json[]> {
  const { rows } = await openEventFile(join(SAMPLES, plan.file), nobody);
  const events: Json[] = [];
  const now = nowSeconds();
  for await (const row of rows) {
    const prepared = 'fault' in row ? row : prepareEvent(row.value, now);
    if ('fault' in prepared) throw new Error(`${plan.file}, line ${row.place} ${prepared.fault}`);
    events.push(prepared.event);
    if (events.length === plan.events) break;
  }
  return events;
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
