import { InvalidArgumentError, type Command } from 'commander';
import { wantsJson, type Context } from '../context.ts';
import { UsageError } from '../faults.ts';
import { asRecord, listIn, numberIn, textIn, type Json } from '../json.ts';
import { oneOf, PLATFORMS } from '../options.ts';
import { count, field, printJson, printTable, type Column } from '../output.ts';
import { readJsonObject } from '../read-json.ts';

interface ChangeFlags {
  readonly credentials?: string;
  readonly metadata?: Json;
  readonly status?: string;
}

const PATH = '/v1/admin/accounts';
const COLUMNS: readonly Column[] = [
  field('account', 'id'),
  field('platform'),
  field('status'),
  count('held', 'heldEvents'),
  { title: 'reason', of: (row) => textIn(row, 'statusReason') },
  { title: 'metadata', of: (row) => (Object.keys(asRecord(row['metadata'])).length === 0 ? '' : textIn(row, 'metadata')) },
];
const CREDENTIALS = 'JSON file with the platform credentials, or - for standard input; never an argument, which process lists would show';

export function addAccounts(program: Command, context: Context): void {
  const accounts = program.command('accounts').description('Ads accounts that the relay sends for.');
  accounts
    .command('list')
    .description('All accounts with their state and the events held for them.')
    .action(async (_options: unknown, command: Command) => {
      const { body } = await context.client().call({ path: PATH });
      if (wantsJson(command)) printJson(context, body);
      else printTable(context, COLUMNS, listIn(body, 'accounts'), 'no accounts');
    });
  accounts
    .command('add')
    .description('Add an account.')
    .argument('<id>', 'your name for it, e.g. acc_meta')
    .requiredOption('--platform <platform>', PLATFORMS.join(', '), oneOf(...PLATFORMS))
    .requiredOption('--credentials <file>', CREDENTIALS)
    .option('--metadata <json>', 'a JSON object', readMetadata)
    .action(async (id: string, flags: ChangeFlags & { readonly platform: string }, command: Command) => {
      const body = { id, platform: flags.platform, credentials: await readJsonObject(flags.credentials ?? '-', context.stdin), metadata: flags.metadata };
      const answer = await context.client().call({ method: 'POST', path: PATH, body });
      report(context, command, answer.body, 'added');
    });
  accounts
    .command('update')
    .description('Change an account. New credentials replace the old ones, make it active and release what is held for it.')
    .argument('<id>')
    .option('--credentials <file>', CREDENTIALS)
    .option('--metadata <json>', 'a JSON object, merged key by key; null removes a key', readMetadata)
    .option('--status <status>', 'active or disabled', oneOf('active', 'disabled'))
    .action(async (id: string, flags: ChangeFlags, command: Command) => {
      if (Object.keys(flags).length === 0) throw new UsageError('nothing to change: give --credentials, --metadata or --status');
      const credentials = flags.credentials === undefined ? undefined : await readJsonObject(flags.credentials, context.stdin);
      const body = { credentials, metadata: flags.metadata, status: flags.status };
      const answer = await context.client().call({ method: 'PATCH', path: `${PATH}/${encodeURIComponent(id)}`, body });
      report(context, command, answer.body, 'updated');
    });
  accounts
    .command('remove')
    .description('Remove an account. Refused while events are pending or held for it.')
    .argument('<id>')
    .action(async (id: string, _options: unknown, command: Command) => {
      await context.client().call({ method: 'DELETE', path: `${PATH}/${encodeURIComponent(id)}` });
      if (wantsJson(command)) printJson(context, { removed: id });
      else context.out(`removed ${id}\n`);
    });
}

function report(context: Context, command: Command, body: unknown, done: string): void {
  if (wantsJson(command)) return printJson(context, body);
  const account = asRecord(body);
  const released = numberIn(account, 'releasedEvents');
  context.out(`${done} ${textIn(account, 'id')} (${textIn(account, 'platform')}, ${textIn(account, 'status')})\n`);
  if (released > 0) context.out(`released ${released} held events\n`);
}

function readMetadata(text: string): Json {
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  } catch {
    // Said below, as for JSON that is no object.
  }
  throw new InvalidArgumentError('It must be a JSON object.');
}
