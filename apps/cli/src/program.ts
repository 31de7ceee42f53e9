import { Command, CommanderError } from 'commander';
import { addAccounts } from './commands/accounts.ts';
import { addDead } from './commands/dead.ts';
import { addDelivery } from './commands/delivery.ts';
import { addEvent } from './commands/event.ts';
import { addHealth } from './commands/health.ts';
import { addKeys } from './commands/keys.ts';
import { addLog } from './commands/log.ts';
import { addSend } from './commands/send.ts';
import { createContext, DEFAULT_URL, type CliIo, type Context } from './context.ts';
import { ApiError, EXIT_OK, EXIT_USAGE, exitCodeOf } from './faults.ts';
import { asRecord, textIn } from './json.ts';
import { oneLine } from './output.ts';

const ENVIRONMENT = `
Environment:
  RELAY_URL      the relay's address (default ${DEFAULT_URL})
  RELAY_API_KEY  the key to call it with; never an option, so that it stands in no process list

Exit codes: 0 all well, 1 the relay refused or events failed, 2 wrong usage or no answer.`;

export function buildProgram(context: Context): Command {
  const program = new Command('relay')
    .description('Operate a Conversion Relay through its HTTP API.')
    .option('--json', 'print JSON for machines')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: (text) => context.out(text), writeErr: (text) => context.err(text) })
    .showHelpAfterError('(add --help for the options)')
    .addHelpText('after', ENVIRONMENT);
  for (const add of [addSend, addDelivery, addEvent, addLog, addDead, addAccounts, addKeys, addHealth]) add(program, context);
  return program;
}

/** Runs one command line (without node and script) and answers with the exit code. */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  const context = createContext(io);
  try {
    await buildProgram(context).parseAsync([...argv], { from: 'user' });
    return context.exitCode;
  } catch (error) {
    // commander has said what was wrong, or shown the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
    io.err(argv.includes('--json') ? `${JSON.stringify(asJson(error))}\n` : `error: ${asSentence(error)}\n`);
    return exitCodeOf(error);
  }
}

function asSentence(error: unknown): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  const body = asRecord(error.body);
  const code = textIn(body, 'code');
  const param = textIn(body, 'param');
  const facts = [`HTTP ${error.status}`, ...(code === '' ? [] : [code]), ...(param === '' ? [] : [`at ${param}`])];
  return [`${oneLine(error.message)} (${facts.join(', ')})`, ...detailLines(body['details'])].join('\n');
}

const SHOWN_DETAILS = 10;

/** What the relay names one by one, such as every bad path of a request. */
function detailLines(details: unknown): string[] {
  if (!Array.isArray(details)) return [];
  const lines = details.slice(0, SHOWN_DETAILS).map((detail) => {
    const { path, message } = asRecord(detail);
    return `  ${oneLine(typeof path === 'string' && typeof message === 'string' ? `${path}: ${message}` : JSON.stringify(detail))}`;
  });
  return details.length > SHOWN_DETAILS ? [...lines, `  and ${details.length - SHOWN_DETAILS} more`] : lines;
}

function asJson(error: unknown): unknown {
  if (error instanceof ApiError) return { status: error.status, ...asRecord(error.body), error: error.message };
  return { error: error instanceof Error ? error.message : String(error) };
}
