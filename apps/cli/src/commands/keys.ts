import type { Command } from 'commander';
import { wantsJson, type Context } from '../context.ts';
import { asRecord, listIn, textIn, type Json } from '../json.ts';
import { commaList } from '../options.ts';
import { field, printJson, printTable, type Column } from '../output.ts';

const PATH = '/v1/admin/api-keys';
const joined = (title: string, key: string): Column => ({ title, of: (row) => namesIn(row, key) });
const COLUMNS: readonly Column[] = [
  field('key', 'id'),
  field('name'),
  joined('scopes', 'scopes'),
  joined('accounts', 'accounts'),
  { title: 'last used', of: (row) => textIn(row, 'lastUsedAt') || 'never' },
];

export function addKeys(program: Command, context: Context): void {
  const keys = program.command('keys').description('API keys of the relay.');
  keys
    .command('list')
    .description('All keys, without their secrets.')
    .action(async (_options: unknown, command: Command) => {
      const { body } = await context.client().call({ path: PATH });
      if (wantsJson(command)) printJson(context, body);
      else printTable(context, COLUMNS, listIn(body, 'apiKeys'), 'no keys');
    });
  keys
    .command('create')
    .description('Create a key. Its secret is printed once and can never be read again.')
    .argument('<name>', 'who uses it')
    .requiredOption('--scopes <list>', 'of send, read, manage, admin', commaList)
    .option('--accounts <list>', 'account ids it may use, or *', commaList, ['*'])
    .action(async (name: string, flags: { readonly scopes: string[]; readonly accounts: string[] }, command: Command) => {
      const { body } = await context.client().call({ method: 'POST', path: PATH, body: { name, scopes: flags.scopes, accounts: flags.accounts } });
      if (wantsJson(command)) return printJson(context, body);
      // The secret alone on standard output, so that it can be piped into a vault.
      context.out(`${textIn(asRecord(body), 'key')}\n`);
      context.err(`created ${textIn(asRecord(body), 'id')} (${name}): the line above is its secret and is not shown again\n`);
    });
  keys
    .command('remove')
    .description('Remove a key; requests with it are refused from then on.')
    .argument('<id>', 'id from keys list, not the secret')
    .action(async (id: string, _options: unknown, command: Command) => {
      await context.client().call({ method: 'DELETE', path: `${PATH}/${encodeURIComponent(id)}` });
      if (wantsJson(command)) printJson(context, { removed: id });
      else context.out(`removed ${id}\n`);
    });
}

function namesIn(row: Json, key: string): string {
  const list = row[key];
  return Array.isArray(list) ? list.join(',') : '';
}
