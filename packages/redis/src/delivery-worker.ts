import { DelayedError, WaitingError, Worker, type Job } from 'bullmq';
import type { Fate } from '@relay/delivery';
import { assertNever } from '@relay/contract';
import type { Sealer } from '@relay/runtime';
import type { Connector, RedisConnection } from './connect.ts';
import { jobDataSchema } from './job-data.ts';
import type { Lane } from './keys.ts';
import { settle } from './settle.ts';
import { statusDataSchema, type StatusData } from './status-poll.ts';
import { takeJob, type QueueJob } from './taken-job.ts';

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
}

export interface DeliveryWorker {
  /** Stops or goes on taking jobs; what was taken goes on. */
  setAppetite(wantsMore: boolean): void;
  /** Jobs taken and not brought to an end. */
  readonly active: number;
  /** When the worker last asked for jobs or worked on one, unix ms. */
  readonly lastAliveMs: number;
  close(): Promise<void>;
}

/** A worker that dies loses its locks after this; its jobs then go to others. Renewed every half of it. */
const LOCK_MS = 20_000;
const STALLED_CHECK_MS = 5_000;
/** Being killed is the worker's fault, not the job's: a job may stall as often as it likes. */
const MAX_STALLED = 1_000_000;
/** A job of a format that this version does not know waits for a version that does. */
const UNKNOWN_FORMAT_DELAY_MS = 60_000;

/** Carries the delay to BullMQ's backoff, which counts the attempt and schedules the next one. */
class RetryLater extends Error {
  override readonly name = 'RetryLater';
  readonly delayMs: number;
  constructor(code: string, delayMs: number) {
    super(code);
    this.delayMs = delayMs;
  }
}

export function startDeliveryWorker(options: DeliveryWorkerOptions): DeliveryWorker {
  const { lane, sealer, connection, concurrency } = options;
  const workerConnection = options.connector.open('consumer');
  const state = { active: 0, lastAliveMs: options.now(), hungry: true };

  const process = async (job: Job<unknown>, token: string | undefined): Promise<void> => {
    if (job.name === 'status') return pollStatus(job, token!, options);
    const data = jobDataSchema.safeParse(job.data);
    if (!data.success) {
      options.onError(new Error(`job ${job.id} has an unknown format`), 'job.unknown_format');
      await job.moveToDelayed(options.now() + UNKNOWN_FORMAT_DELAY_MS, token);
      throw new DelayedError();
    }
    const taken = takeJob(job, data.data, lane, connection, sealer);
    await apply(await options.deliver(taken), job, token!, taken, options);
  };

  const worker = new Worker<unknown>(
    lane.queue,
    async (job, token) => {
      state.active += 1;
      state.lastAliveMs = options.now();
      try {
        await process(job, token);
      } finally {
        state.active -= 1;
        state.lastAliveMs = options.now();
      }
    },
    {
      connection: workerConnection as never, // BullMQ is typed against its own minor of ioredis
      prefix: lane.tag,
      concurrency,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_CHECK_MS,
      maxStalledCount: MAX_STALLED,
      runRetryDelay: 500,
      drainDelay: 5,
      settings: {
        // An error of our own (Redis away while settling, a bug) has no delay with it: a second is enough not to spin.
        backoffStrategy: (_attempts, _type, error) => (error instanceof RetryLater ? Math.max(error.delayMs, 1) : 1_000),
      },
    },
  );
  worker.on('error', (error) => options.onError(error, 'worker.error'));
  worker.on('failed', (_job, error) => {
    if (!(error instanceof RetryLater)) options.onError(error, 'job.failed');
  });
  worker.on('drained', () => (state.lastAliveMs = options.now()));
  worker.on('stalled', (jobId) => options.onError(new Error(`job ${jobId} stalled and was given to another worker`), 'job.stalled'));

  return {
    setAppetite(wantsMore) {
      // BullMQ takes jobs while fewer than this are active; a running job goes on either way.
      worker.concurrency = wantsMore ? concurrency : Math.max(state.active, 1);
    },
    get active() {
      return state.active;
    },
    get lastAliveMs() {
      return state.lastAliveMs;
    },
    async close() {
      await worker.close();
      // BullMQ closes only what it opened itself, and an open socket would keep the process alive.
      workerConnection.disconnect();
    },
  };
}

/** Turns a job's fate into queue language. The only place where that happens. */
async function apply(fate: Fate, job: Job<unknown>, token: string, taken: QueueJob, options: DeliveryWorkerOptions): Promise<void> {
  switch (fate.kind) {
    case 'done':
      return;
    case 'retry':
      throw new RetryLater(fate.code, fate.delayMs);
    case 'delay':
      await job.moveToDelayed(fate.untilMs, token);
      throw new DelayedError();
    case 'hold': {
      const context = { lane: options.lane, nowMs: options.now(), retentionDays: options.retentionDays };
      // Remembered first: a release in between finds it, and what it cannot move yet the next sweep does.
      await settle(options.connection, context, [{ job: taken.ref, outcome: 'held' }]);
      await job.moveToDelayed(fate.untilMs, token);
      throw new DelayedError();
    }
    case 'give_back':
      await job.moveToWait(token);
      throw new WaitingError();
    default:
      return assertNever(fate);
  }
}

async function pollStatus(job: Job<unknown>, token: string, options: DeliveryWorkerOptions): Promise<void> {
  const data = statusDataSchema.safeParse(job.data);
  if (!data.success) return;
  const againAt = await options.pollStatus(data.data);
  if (againAt === undefined) return;
  await job.moveToDelayed(againAt, token);
  throw new DelayedError();
}
