import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { wantsJson, type Context } from '../context.ts';
import { EXIT_REFUSED } from '../faults.ts';
import { asRecord, listIn, numberIn, textIn, type Json } from '../json.ts';
import { count, field, formatFacts, formatTable, printJson, type Column } from '../output.ts';

const FINAL: ReadonlySet<string> = new Set(['delivered', 'partial', 'failed']);
const FOLLOW_EVERY_MS = 1_000;
const SHOWN = 20;

const CHUNKS: readonly Column[] = [count('chunk'), count('events'), field('status'), count('attempts'), field('trace id', 'traceId'), count('ms', 'durationMs'), field('code'), field('message')];
const FAILURES: readonly Column[] = [count('index', 'eventIndex'), field('event', 'eventId'), field('code'), field('message')];

export function addDelivery(program: Command, context: Context): void {
  program
    .command('delivery')
    .summary('the state of one request')
    .description('The state of one request: counts, chunks with their attempts, failures. Exit code 1 when events failed.')
    .argument('<id>', 'deliveryId from the answer or from relay log')
    .option('--follow', 'stay until every event has a final answer')
    .action(async (id: string, flags: { readonly follow?: boolean }, command: Command) => {
      const delivery = await (flags.follow === true ? follow(context, id, wantsJson(command)) : load(context, id));
      if (wantsJson(command)) printJson(context, delivery);
      else context.out(formatDelivery(delivery));
      const status = textIn(delivery, 'status');
      if (status === 'partial' || status === 'failed') context.exitCode = EXIT_REFUSED;
    });
}

async function load(context: Context, id: string): Promise<Json> {
  return asRecord((await context.client().call({ path: `/v1/deliveries/${encodeURIComponent(id)}` })).body);
}

async function follow(context: Context, id: string, json: boolean): Promise<Json> {
  let last = '';
  for (;;) {
    const delivery = await load(context, id);
    const line = `${textIn(delivery, 'status')}  ${progressOf(delivery)}`;
    if (line !== last && !json) context.err(`${line}\n`);
    last = line;
    if (FINAL.has(textIn(delivery, 'status'))) return delivery;
    await delay(FOLLOW_EVERY_MS);
  }
}

function progressOf(delivery: Json): string {
  const part = (label: string, key: string) => (numberIn(delivery, key) === 0 ? [] : [`${numberIn(delivery, key)} ${label}`]);
  return [
    ...part('delivered', 'eventsReceived'),
    ...part('failed', 'eventsFailed'),
    ...part('pending', 'eventsPending'),
    ...part('held', 'eventsHeld'),
  ].join(', ');
}

export function formatDelivery(delivery: Json): string {
  const chunks = listIn(delivery, 'chunks');
  const failures = listIn(delivery, 'failures');
  const facts = formatFacts([
    ['delivery', textIn(delivery, 'deliveryId')],
    ['status', textIn(delivery, 'status')],
    ['account', `${textIn(delivery, 'accountId')} (${textIn(delivery, 'platform')})`],
    ['destination', textIn(delivery, 'destinationId')],
    ['events', `${numberIn(delivery, 'eventsSubmitted')}: ${progressOf(delivery)}`],
    ['attempts', numberIn(delivery, 'attempts')],
    ['accepted', textIn(delivery, 'acceptedAt')],
    ['finished', textIn(delivery, 'finishedAt')],
    ['took', typeof delivery['durationMs'] === 'number' ? `${delivery['durationMs']} ms` : undefined],
    ['trace id', textIn(delivery, 'traceId')],
    ['platform status', textIn(delivery, 'platformStatus')],
    ['replays', numberIn(delivery, 'replays') || undefined],
  ]);
  return [facts, tableOf('chunks', CHUNKS, chunks), tableOf('failures', FAILURES, failures)].filter((part) => part !== '').join('\n');
}

function tableOf(title: string, columns: readonly Column[], rows: readonly Json[]): string {
  if (rows.length === 0) return '';
  const heading = rows.length > SHOWN ? `${title} (${SHOWN} of ${rows.length}; --json has all)` : title;
  return `${heading}:\n${formatTable(columns, rows.slice(0, SHOWN))}`;
}
