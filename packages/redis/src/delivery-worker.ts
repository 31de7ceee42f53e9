import { setTimeout as sleep } from 'node:timers/promises';
import { DelayedError, WaitingError, Worker, type Job } from 'bullmq';
import type { Fate } from '@relay/delivery';
import { assertNever } from '@relay/contract';
import type { Sealer } from '@relay/runtime';
import type { Connector, RedisConnection } from './connect.ts';
import { jobDataSchema } from './job-data.ts';
import { keys, type Lane } from './keys.ts';
import { writeAnyway } from './scripts.ts';
import { settle } from './settle.ts';
import { statusDataSchema, type StatusData } from './status-poll.ts';
import { takeJob, type QueueJob } from './taken-job.ts';
import { keepWayOutOpen } from './way-out.ts';

/** What a worker of one lane works with. */
export interface DeliveryWorkerOptions {
  readonly connector: Connector;
  /** For our own reads and writes; the worker itself has connections of its own. */
  readonly connection: RedisConnection;
  readonly lane: Lane;
  readonly sealer: Sealer;
  /** Jobs taken at a time, at most. */
  readonly concurrency: number;
  readonly retentionDays: number;
  /** Brings a job to an end, or at least to a next step. */
  deliver(job: QueueJob): Promise<Fate>;
  /** A later look at a request's status; resolves with when to look again, or `undefined`. */
  pollStatus(data: StatusData): Promise<number | undefined>;
  onError(error: Error, what: string): void;
  now(): number;
  /** How long a worker that died keeps its jobs; default 20 s. Renewed every half of it. */
  readonly lockMs?: number | undefined;
  /** How often a worker looks for jobs of workers that died; default 5 s. */
  readonly stalledCheckMs?: number | undefined;
}

/** A running worker of one lane. */
export interface DeliveryWorker {
  /** Stops or goes on taking jobs; what was taken goes on. */
  setAppetite(wantsMore: boolean): void;
  /** Jobs taken and not brought to an end. */
  readonly active: number;
  /** When the worker last asked for jobs or worked on one, unix ms. */
  readonly lastAliveMs: number;
  /** Takes no more, waits for what was taken. Waits for Redis too, should it be away. Idempotent. */
  close(): Promise<void>;
}

const LOCK_MS = 20_000;
const STALLED_CHECK_MS = 5_000;
/** Being killed is the worker's fault, not the job's: a job may stall as often as it likes. */
const MAX_STALLED = 1_000_000;
/** A job of a format that this version does not know waits for a version that does. */
const UNKNOWN_FORMAT_DELAY_MS = 60_000;
/** After a fault of our own (Redis refuses what is to be written, a bug) a job comes back, the first time after this. */
const OWN_FAULT_DELAY_MS = 1_000;
const OWN_FAULT_MAX_DELAY_MS = 60_000;
const RECONNECT_POLL_MS = 50;
/**
 * Jobs that are taken out of the queue and not begun with. Of one destination that has its share, all have to be sent before
 * another's turn comes. Not one: a job that comes back after a delay is then found when the worker next looks, seconds late.
 */
const TAKEN_AHEAD = 2;
/** An idle worker asks for jobs this often, seconds. */
const IDLE_ASK_SECONDS = 5;

/** Carries the delay to BullMQ's backoff, which counts the attempt and schedules the next one. */
class RetryLater extends Error {
  override readonly name = 'RetryLater';
  readonly delayMs: number;
  constructor(code: string, delayMs: number) {
    super(code);
    this.delayMs = delayMs;
  }
}

/** BullMQ's worker says that it found nothing only the first time; this one says every time that it asked. */
class AskingWorker extends Worker<unknown> {
  onAsked: () => void = () => {};
  protected override async moveToActive(token: string, name?: string): Promise<Job<unknown>> {
    const job = await super.moveToActive(token, name);
    this.onAsked();
    return job;
  }

  /** Has the worker look anew whether it may take jobs; BullMQ looks only when one has ended, and wakes itself in this way. */
  lookAgain(): void {
    (this as unknown as { readonly mainLoopQueue: { add(nothing: Promise<void>): void } | null }).mainLoopQueue?.add(Promise.resolve());
  }
}

/** Takes jobs of a lane and does with each what `deliver` says. */
export function startDeliveryWorker(options: DeliveryWorkerOptions): DeliveryWorker {
  const { lane, concurrency } = options;
  const workerConnection = keepWayOutOpen(options.connector.open('consumer'));
  const state = { active: 0, lastAliveMs: options.now(), hungry: true };
  const alive = () => {
    state.lastAliveMs = options.now();
  };

  const worker = new AskingWorker(
    lane.queue,
    async (job, token) => {
      state.active += 1;
      alive();
      setConcurrency();
      try {
        await processOrComeBack(job, token!, options);
      } finally {
        state.active -= 1;
        alive();
        setConcurrency();
      }
    },
    {
      connection: workerConnection,
      prefix: lane.tag,
      concurrency: Math.min(TAKEN_AHEAD, concurrency),
      lockDuration: options.lockMs ?? LOCK_MS,
      stalledInterval: options.stalledCheckMs ?? STALLED_CHECK_MS,
      maxStalledCount: MAX_STALLED,
      runRetryDelay: 500,
      drainDelay: IDLE_ASK_SECONDS,
      settings: {
        // Other errors come here only when the job could not even be put aside.
        backoffStrategy: (_attempts, _type, error) => (error instanceof RetryLater ? Math.max(Math.ceil(error.delayMs), 1) : OWN_FAULT_DELAY_MS),
      },
    },
  );
  worker.onAsked = alive;
  // BullMQ takes jobs while fewer than this are active (at least one); a running job goes on either way. It would take all it
  // may before it begins with the first: hundreds of megabytes, and many seconds in which nothing is sent.
  const setConcurrency = () => {
    worker.concurrency = state.hungry ? Math.min(state.active + TAKEN_AHEAD, concurrency) : Math.max(state.active, 1);
    if (state.hungry) worker.lookAgain();
  };
  worker.on('error', (error) => options.onError(error, 'worker.error'));
  worker.on('failed', (_job, error) => {
    if (!(error instanceof RetryLater)) options.onError(error, 'job.failed');
  });
  worker.on('stalled', (jobId) => options.onError(new Error(`job ${jobId} stalled and was given to another worker`), 'job.stalled'));

  const close = async () => {
    await worker.pause(true); // takes no more; does not wait for what it has
    // BullMQ's close never ends when it meets a connection that is just coming back.
    const connections = [workerConnection, await worker.backend.blockingClient];
    while (connections.some((one) => one?.status !== 'ready')) await sleep(RECONNECT_POLL_MS);
    await worker.close();
    // BullMQ closes only what it opened itself, and an open socket would keep the process alive.
    workerConnection.disconnect();
  };
  let closing: Promise<void> | undefined;

  return {
    setAppetite(wantsMore) {
      state.hungry = wantsMore;
      setConcurrency();
    },
    get active() {
      return state.active;
    },
    get lastAliveMs() {
      return state.lastAliveMs;
    },
    close: () => (closing ??= close()),
  };
}

/** A fault of our own is not the job's: it comes back later, and no attempt is spent. */
async function processOrComeBack(job: Job<unknown>, token: string, options: DeliveryWorkerOptions): Promise<void> {
  try {
    await deliverJob(job, token, options);
  } catch (error) {
    if (error instanceof RetryLater || error instanceof DelayedError || error instanceof WaitingError) throw error;
    options.onError(error instanceof Error ? error : new Error(String(error)), 'job.failed');
    const delayMs = Math.min(OWN_FAULT_DELAY_MS * 2 ** Math.min(job.attemptsStarted - 1, 10), OWN_FAULT_MAX_DELAY_MS);
    return putAside(job, token, Date.now() + delayMs);
  }
}

async function deliverJob(job: Job<unknown>, token: string, options: DeliveryWorkerOptions): Promise<void> {
  if (job.name === 'status') return pollStatus(job, token, options);
  const data = jobDataSchema.safeParse(job.data);
  if (!data.success) return waitForNewerVersion(job, token, options);
  const taken = takeJob(job, data.data, options.lane, options.connection, options.sealer, options.lockMs ?? LOCK_MS);
  await apply(await options.deliver(taken), job, token, taken, options);
  // Not when something was thrown: what else was going on with these events may not have ended.
  taken.letGo();
}

/** Not before `untilMs`, and no attempt is spent. */
async function putAside(job: Job<unknown>, token: string, untilMs: number): Promise<never> {
  await job.moveToDelayed(Math.ceil(untilMs), token);
  throw new DelayedError();
}

function waitForNewerVersion(job: Job<unknown>, token: string, options: DeliveryWorkerOptions): Promise<never> {
  options.onError(new Error(`job ${job.id} has an unknown format`), 'job.unknown_format');
  return putAside(job, token, Date.now() + UNKNOWN_FORMAT_DELAY_MS);
}

/** Turns a job's fate into queue language. The only place where that happens. */
async function apply(fate: Fate, job: Job<unknown>, token: string, taken: QueueJob, options: DeliveryWorkerOptions): Promise<void> {
  switch (fate.kind) {
    case 'done':
      return;
    case 'retry':
      throw new RetryLater(fate.code, fate.delayMs);
    case 'delay':
      return putAside(job, token, fate.untilMs);
    case 'hold': {
      const context = { lane: options.lane, nowMs: options.now(), retentionDays: options.retentionDays };
      // Remembered first: a release in between finds it, and what it cannot move yet the next sweep does.
      await settle(options.connection, context, [{ job: taken.ref, outcome: 'held' }]);
      return putAside(job, token, fate.untilMs);
    }
    case 'give_back':
      return giveBack(job, token, options);
    default:
      return assertNever(fate);
  }
}

async function giveBack(job: Job<unknown>, token: string, options: DeliveryWorkerOptions): Promise<never> {
  await job.moveToWait(token);
  // BullMQ puts a job with a priority back without waking anybody; idle workers would find it seconds later. Nor does more
  // come of it where this write fails: the job is back in the queue and no longer this worker's to put aside.
  await writeAnyway(options.connection, keys.marker(options.lane), 'ZADD', 0, '0').catch((error: Error) => options.onError(error, 'worker.error'));
  throw new WaitingError();
}

async function pollStatus(job: Job<unknown>, token: string, options: DeliveryWorkerOptions): Promise<void> {
  const data = statusDataSchema.safeParse(job.data);
  if (!data.success) return waitForNewerVersion(job, token, options);
  const againAt = await options.pollStatus(data.data);
  if (againAt !== undefined) return putAside(job, token, againAt);
}
