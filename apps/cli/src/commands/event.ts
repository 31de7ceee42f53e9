import type { Command } from 'commander';
import { wantsJson, type Context } from '../context.ts';
import { listIn } from '../json.ts';
import { count, field, printJson, printTable, type Column } from '../output.ts';

const COLUMNS: readonly Column[] = [
  field('accepted', 'acceptedAt'),
  field('status'),
  field('delivery', 'deliveryId'),
  count('index', 'eventIndex'),
  field('destination', 'destinationId'),
  field('code'),
  field('message'),
];

export function addEvent(program: Command, context: Context): void {
  program
    .command('event')
    .summary('where one event stands')
    .description('Where one event stands, with every delivery that carried it, newest first.')
    .argument('<eventId>')
    .requiredOption('--account <id>', 'account it was sent for')
    .action(async (eventId: string, flags: { readonly account: string }, command: Command) => {
      const { body } = await context.client().call({ path: `/v1/events/${encodeURIComponent(eventId)}`, query: { accountId: flags.account } });
      if (wantsJson(command)) printJson(context, body);
      else printTable(context, COLUMNS, listIn(body, 'deliveries'), 'this event is not known, or older than the relay keeps its index');
    });
}
