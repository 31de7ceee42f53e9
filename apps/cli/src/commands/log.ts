import { Option, type Command } from 'commander';
import { wantsJson, type Context } from '../context.ts';
import { asRecord, listIn, textIn, type Json } from '../json.ts';
import { wholeNumber } from '../options.ts';
import { count, field, printJson, printTable, type Column } from '../output.ts';

interface LogFlags {
  readonly account: string;
  readonly status?: string;
  readonly limit: number;
  readonly cursor?: string;
}

export const LOG_COLUMNS: readonly Column[] = [
  field('time', 'timestamp'),
  field('status'),
  field('delivery', 'deliveryId'),
  field('destination', 'destinationId'),
  { title: 'events', of: eventsOf },
  count('received', 'eventsReceived'),
  count('failed', 'eventsFailed'),
  count('attempts'),
  count('ms', 'durationMs'),
];

export function addLog(program: Command, context: Context): void {
  program
    .command('log')
    .summary('recent deliveries of an account')
    .description('The delivery log of an account: one row a request, newest first.')
    .requiredOption('--account <id>')
    .addOption(new Option('--status <status>').choices(['queued', 'retrying', 'held', 'delivered', 'partial', 'failed']))
    .option('--limit <rows>', 'how many', wholeNumber(1, 200), 50)
    .option('--cursor <cursor>', 'goes on where an earlier page ended')
    .action(async (flags: LogFlags, command: Command) => {
      const query = { accountId: flags.account, status: flags.status, limit: flags.limit, cursor: flags.cursor };
      const { body } = await context.client().call({ path: '/v1/ads/conversions', query });
      if (wantsJson(command)) return printJson(context, body);
      printTable(context, LOG_COLUMNS, listIn(body, 'conversions'), 'nothing in the log');
      const next = textIn(asRecord(body), 'nextCursor');
      if (next !== '') context.err(`more with --cursor ${next}\n`);
    });
}

/** Names of the events, and the id where a row is about one. */
function eventsOf(row: Json): string {
  const names = listOf(row['eventNames']);
  const ids = listOf(row['eventIds']);
  return ids.length === 1 ? `${names.join(',')} ${ids[0]}` : names.join(',');
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}
