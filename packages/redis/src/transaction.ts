import type { RedisConnection } from './connect.ts';
import type { ScriptName } from './scripts.ts';

/** What one EXEC does: BullMQ's inserts, our scripts and plain commands. All of it happens, or nothing. */
export interface Transaction {
  hincrby(key: string, field: string, by: number): unknown;
  /** BullMQ hands its own scripts over in the same way. */
  runCommand(name: ScriptName, args: readonly (string | number)[]): unknown;
  /** Answers command by command; `null`: a watched key had changed and nothing happened. */
  exec(): Promise<[error: Error | null, result?: unknown][] | null>;
}

type Scripts = Readonly<Record<string, (args: readonly unknown[]) => Promise<unknown>>>;

/**
 * MULTI, commands and EXEC given in one turn, so that nobody else's command gets in between. ioredis' own `multi()` makes a
 * pipeline with a copy of every script's method each time, and V8 keeps these until the next full collection: every pause of
 * the garbage collector had to copy all of them.
 *
 * For a producer's connection to one node. A consumer's sends again what a broken connection left unanswered, which could be
 * the commands without their MULTI; and a cluster finds the node by the key, which MULTI has not.
 */
export function leanTransaction(connection: RedisConnection): Transaction {
  const calls: (() => Promise<unknown>)[] = [];
  const transaction: Transaction = {
    hincrby(key, field, by) {
      calls.push(() => connection.hincrby(key, field, by));
      return transaction;
    },
    runCommand(name, args) {
      calls.push(() => (connection as unknown as Scripts)[name]!(args));
      return transaction;
    },
    exec: () => execute(connection, calls),
  };
  return transaction;
}

async function execute(connection: RedisConnection, calls: readonly (() => Promise<unknown>)[]): ReturnType<Transaction['exec']> {
  // MULTI and EXEC would be sent while Redis still loads its file, what is between them would not.
  if (connection.status !== 'ready') throw new Error(`the connection to Redis is not ready (${connection.status})`);
  const queued: Promise<unknown>[] = [connection.multi({ pipeline: false })];
  try {
    for (const call of calls) queued.push(call());
  } catch (error) {
    connection.disconnect(true); // which ends the transaction that has begun
    await Promise.allSettled(queued);
    throw error;
  }
  const [answers, [executed]] = await Promise.all([Promise.allSettled(queued), Promise.allSettled([connection.exec()])]);
  const refusals = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as Error] : []));
  if (executed.status === 'rejected') throw Object.assign(executed.reason as Error, { previousErrors: refusals });
  if (refusals.length > 0) throw refusals[0]!;
  return executed.value;
}
