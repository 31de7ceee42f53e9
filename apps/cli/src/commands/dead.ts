import { Option, type Command } from 'commander';
import { wantsJson, type Context } from '../context.ts';
import { EXIT_REFUSED, UsageError } from '../faults.ts';
import { asRecord, listIn, numberIn, textIn, type Json } from '../json.ts';
import { PLATFORMS, wholeNumber } from '../options.ts';
import { count, field, formatFacts, oneLine, printJson, printTable, type Column } from '../output.ts';

interface FilterFlags {
  readonly platform?: string;
  readonly account?: string;
  readonly destination?: string;
  readonly reason?: string;
}
type ReplayFlags = FilterFlags & { readonly all?: boolean; readonly force?: boolean; readonly cursor?: string };

const PATH = '/v1/dead-letters';
const REASONS = ['rejected', 'destination', 'account', 'operator', 'expired', 'attempts_exhausted', 'unknown'];
const COLUMNS: readonly Column[] = [
  field('letter', 'id'),
  field('account', 'accountId'),
  field('destination', 'destinationId'),
  field('reason'),
  count('events', 'eventCount'),
  field('code'),
  field('message'),
  { title: 'replay', of: (row) => (row['replayable'] === true ? 'yes' : textIn(row, 'whyNot') || 'no') },
];
/** A replay by filter may put a long list back in one request. */
const REPLAY_MS = 120_000;
const SHOWN_REFUSALS = 10;

export function addDead(program: Command, context: Context): void {
  const dead = program.command('dead').description('Dead letters: events that got a final no, kept until somebody decides.');
  withFilter(dead.command('list').description('Dead letters, newest first.'))
    .option('--limit <letters>', 'how many', wholeNumber(1, 200), 50)
    .option('--cursor <cursor>', 'goes on where an earlier page ended')
    .action(async (flags: FilterFlags & { readonly limit: number; readonly cursor?: string }, command: Command) => {
      const { body } = await context.client().call({ path: PATH, query: { ...filterOf(flags), limit: flags.limit, cursor: flags.cursor } });
      if (wantsJson(command)) return printJson(context, body);
      printTable(context, COLUMNS, listIn(body, 'deadLetters'), 'no dead letters');
      const next = textIn(asRecord(body), 'nextCursor');
      if (next !== '') context.err(`more with --cursor ${next}\n`);
    });
  dead
    .command('show')
    .description('One dead letter.')
    .argument('<id>')
    .action(async (id: string, _options: unknown, command: Command) => {
      const { body } = await context.client().call({ path: `${PATH}/${encodeURIComponent(id)}` });
      if (wantsJson(command)) printJson(context, body);
      else context.out(formatLetter(asRecord(body)));
    });
  withFilter(dead.command('replay').description('Put dead letters back on their way: one by its id, or all that a filter fits.'))
    .argument('[id]')
    .option('--all', 'every letter that the filter fits; without a filter, every letter')
    .option('--cursor <cursor>', 'goes on where an earlier --all stopped')
    .option('--force', 'also where the platform may already have taken the events and would no longer recognise them')
    .action(async (id: string | undefined, flags: ReplayFlags, command: Command) => replay(context, id, flags, wantsJson(command)));
  dead
    .command('discard')
    .description('Remove a dead letter for good. Its events stay counted as dead.')
    .argument('<id>')
    .action(async (id: string, _options: unknown, command: Command) => {
      await context.client().call({ method: 'DELETE', path: `${PATH}/${encodeURIComponent(id)}` });
      if (wantsJson(command)) printJson(context, { discarded: id });
      else context.out(`discarded ${id}\n`);
    });
}

async function replay(context: Context, id: string | undefined, flags: ReplayFlags, json: boolean): Promise<void> {
  const filter = filterOf(flags);
  const filtered = Object.values(filter).some((value) => value !== undefined);
  if (id !== undefined && (flags.all === true || flags.cursor !== undefined || filtered)) throw new UsageError('give an id or --all with a filter, not both');
  if (id === undefined && flags.all !== true) throw new UsageError('which letters? Give an id, or --all with --platform, --account, --destination or --reason');
  const force = flags.force === true ? { force: true } : {};
  const call = id === undefined ? { path: `${PATH}/replay`, body: { ...filter, ...force, ...(flags.cursor !== undefined && { cursor: flags.cursor }) } } : { path: `${PATH}/${encodeURIComponent(id)}/replay`, body: force };
  const { body } = await context.client().call({ method: 'POST', timeoutMs: REPLAY_MS, ...call });
  const answer = asRecord(body);
  if (json) printJson(context, body);
  else context.out(formatReplay(answer));
  if (numberIn(answer, 'refused') > 0) context.exitCode = EXIT_REFUSED;
}

/** One letter answers `replayed: true`, many their count with the first results. */
function formatReplay(answer: Json): string {
  const events = numberIn(answer, 'events');
  if (answer['replayed'] === true) return `replayed ${textIn(answer, 'id')}: ${events} events are on their way again\n`;
  const refusals = listIn(answer, 'results').filter((entry) => entry['result'] === 'refused').slice(0, SHOWN_REFUSALS);
  const next = textIn(answer, 'nextCursor');
  return [
    formatFacts([['replayed', `${numberIn(answer, 'replayed')} letters, ${events} events`], ['refused', `${numberIn(answer, 'refused')} letters`]]),
    ...refusals.map((refusal) => `  ${textIn(refusal, 'id')}: ${oneLine(textIn(refusal, 'why'))}\n`),
    ...(answer['more'] === true ? [`stopped before the end: run the same command again${next === '' ? '' : ` with --cursor ${next}`}\n`] : []),
  ].join('');
}

function formatLetter(letter: Json): string {
  const ids = Array.isArray(letter['eventIds']) ? letter['eventIds'].filter((entry) => typeof entry === 'string') : [];
  const facts = ['id', 'platform', 'accountId', 'destinationId', 'deliveryId', 'reason', 'code', 'message', 'eventCount', 'attempts', 'firstAttemptAt', 'lastAttemptAt', 'replayable', 'whyNot', 'replayedAt'];
  return formatFacts([...facts.map((key) => [key, textIn(letter, key)] as const), ['eventIds', ids.join(' ')]]);
}

function withFilter(command: Command): Command {
  return command
    .addOption(new Option('--platform <platform>').choices(PLATFORMS))
    .option('--account <id>')
    .option('--destination <id>')
    .addOption(new Option('--reason <reason>').choices(REASONS));
}

function filterOf(flags: FilterFlags) {
  return { platform: flags.platform, accountId: flags.account, destinationId: flags.destination, reason: flags.reason };
}
