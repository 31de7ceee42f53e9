import { randomUUID } from 'node:crypto';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { wantsJson, type Context } from '../context.ts';
import { EXIT_REFUSED, UsageError } from '../faults.ts';
import { onInterrupt } from '../interrupt.ts';
import { wholeNumber } from '../options.ts';
import { printJson } from '../output.ts';
import { toBatches } from '../send/batches.ts';
import type { SendTarget } from '../send/post-batch.ts';
import { formatSummary } from '../send/print-summary.ts';
import { createProgress } from '../send/progress.ts';
import { openEventFile } from '../send/read-events.ts';
import { sendBatches } from '../send/send-file.ts';
import { createTally, type SendSummary } from '../send/tally.ts';

interface SendFlags {
  readonly account: string;
  readonly destination: string;
  readonly batch: number;
  readonly concurrency: number;
  readonly testCode?: string;
  readonly consentAdUserData?: string;
  readonly consentAdPersonalization?: string;
  readonly async?: boolean;
  readonly wait?: number;
  readonly idempotencyPrefix?: string;
  readonly rebase?: boolean;
  readonly rebaseTo?: number;
  readonly retryBudget: number;
}

/** The longest that the relay waits. */
const MAX_WAIT_S = 120;
/** Above the relay's default wait of 10 s, with time for a large body. */
const ANSWER_MS = 60_000;

export function addSend(program: Command, context: Context): void {
  const consent = (flag: string, what: string) => new Option(`${flag} <answer>`, `consent to ${what}`).choices(['GRANTED', 'DENIED']);
  program
    .command('send')
    .summary('relay the conversions of a file')
    .description('Relay the conversions of a file: NDJSON (one event a line, any size) or a JSON array; - reads standard input.')
    .argument('<file>', 'path, or - for standard input')
    .requiredOption('--account <id>', 'account of the relay')
    .requiredOption('--destination <id>', 'pixel, conversion action or conversion rule')
    .option('--batch <events>', 'events in one request', wholeNumber(1, 100_000), 1000)
    .option('--concurrency <requests>', 'requests at a time', wholeNumber(1, 64), 4)
    .option('--test-code <code>', "Meta's test_event_code")
    .addOption(consent('--consent-ad-user-data', 'the use of user data for ads'))
    .addOption(consent('--consent-ad-personalization', 'personalised ads'))
    .addOption(new Option('--async', 'do not wait for the platforms').conflicts('wait'))
    .option('--wait <seconds>', 'how long the relay may wait for the platforms', wholeNumber(0, MAX_WAIT_S))
    .option('--idempotency-prefix <text>', 'batch n is sent as <text>-n: the same file, batch size and prefix again sends nothing twice', readPrefix)
    .option('--rebase', 'turn secondsAgo into eventTime, counted from now')
    .option('--rebase-to <unix seconds>', 'the same, counted from a given time', wholeNumber(0, 99_999_999_999))
    .option('--retry-budget <seconds>', 'how long to try a request again after 429, 503 or a lost connection', wholeNumber(0, 86_400), 120)
    .action(async (path: string, flags: SendFlags, command: Command) => send(context, path, flags, wantsJson(command)));
}

/** What one run sends and under which names, with the defaults filled in. */
interface Plan {
  readonly flags: SendFlags;
  readonly prefix: string;
  readonly rebaseTo: number | undefined;
}

interface Outcome {
  readonly summary: SendSummary;
  /** Ended by Ctrl-C or by `failure`, with events left in the file. */
  readonly unfinished: boolean;
  readonly failure?: { readonly error: unknown };
}

async function send(context: Context, path: string, flags: SendFlags, json: boolean): Promise<void> {
  const now = flags.rebase === true ? Math.floor(Date.now() / 1000) : undefined;
  const plan: Plan = { flags, prefix: flags.idempotencyPrefix ?? `relay-send-${randomUUID()}`, rebaseTo: flags.rebaseTo ?? now };
  const { summary, unfinished, failure } = await relayFile(context, path, plan, json);
  const nothing = summary.batches === 0 && summary.badLines === 0;
  if (json) printJson(context, { ...summary, idempotencyPrefix: plan.prefix, rebaseTo: plan.rebaseTo, complete: !unfinished });
  else if (!nothing) context.out(formatSummary(summary));
  if (unfinished && summary.batches > 0) {
    context.err(`not all was sent; the same command with ${goOn(plan)} goes on without sending anything twice\n`);
  }
  if (failure !== undefined) throw failure.error;
  if (nothing && !unfinished) throw new UsageError(`${path} holds no events`);
  if (unfinished || hasFailures(summary)) context.exitCode = EXIT_REFUSED;
}

async function relayFile(context: Context, path: string, { flags, prefix, rebaseTo }: Plan, json: boolean): Promise<Outcome> {
  const client = context.client();
  const file = await openEventFile(path, context.stdin);
  const tally = createTally();
  const look = context.isTty ? 'bar' : 'lines';
  const progress = createProgress({ look: json ? 'quiet' : look, totalBytes: file.totalBytes, write: context.err });
  const stop = new AbortController();
  using _listening = onInterrupt(() => stop.abort());
  let events = 0;
  try {
    await sendBatches(toBatches(file.rows, { maxEvents: flags.batch, rebaseTo, onFault: tally.badLine }), tally, {
      client,
      target: targetOf(flags),
      prefer: preferOf(flags),
      timeoutMs: ANSWER_MS + (flags.wait ?? 0) * 1000,
      retryBudgetMs: flags.retryBudget * 1000,
      concurrency: flags.concurrency,
      idempotencyPrefix: prefix,
      stop: stop.signal,
      onBatch: (batch) => progress.update({ events: (events += batch.events.length), bytes: file.readBytes() }),
    });
    return { summary: tally.summary(), unfinished: stop.signal.aborted };
  } catch (error) {
    return { summary: tally.summary(), unfinished: true, failure: { error } };
  } finally {
    progress.stop();
  }
}

function targetOf(flags: SendFlags): SendTarget {
  const consent = {
    ...(flags.consentAdUserData === undefined ? {} : { adUserData: flags.consentAdUserData }),
    ...(flags.consentAdPersonalization === undefined ? {} : { adPersonalization: flags.consentAdPersonalization }),
  };
  return {
    accountId: flags.account,
    destinationId: flags.destination,
    ...(flags.testCode === undefined ? {} : { testCode: flags.testCode }),
    ...(Object.keys(consent).length === 0 ? {} : { consent }),
  };
}

function preferOf(flags: SendFlags): string | undefined {
  if (flags.async === true) return 'respond-async';
  return flags.wait === undefined ? undefined : `wait=${flags.wait}`;
}

/** The same key with another body is refused, so the batches and the times must be the same again. */
function goOn({ flags, prefix, rebaseTo }: Plan): string {
  return [`--batch ${flags.batch}`, `--idempotency-prefix ${prefix}`, ...(rebaseTo === undefined ? [] : [`--rebase-to ${rebaseTo}`])].join(' ');
}

function hasFailures(summary: SendSummary): boolean {
  return summary.failed + summary.refused + summary.badLines > 0;
}

function readPrefix(text: string): string {
  if (/^[\x21-\x7e]{1,200}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be 1 to 200 printable ASCII characters without spaces.');
}
