import { Coalescer, deliver } from '@relay/delivery';
import type { DeliverPorts } from '@relay/delivery';
import { nextPollAt, type DeliveryLane, type QueueJob, type SharedStore, type StatusData } from '@relay/redis';
import type { Logger, WorkerConfig } from '@relay/runtime';
import { namedDeliveries, type PlatformPorts } from './deliver-ports.ts';

/** Unpacked bytes of events that may wait in one worker process for one platform, and for one destination. */
const MAX_BUFFERED_BYTES = 96 * 1024 * 1024;
const MAX_BUFFERED_BYTES_PER_DESTINATION = 12 * 1024 * 1024;

export interface RunningLane {
  readonly lane: DeliveryLane;
  readonly active: number;
  readonly lastAliveMs: number;
  /** Grows with every job taken or brought to an end and with every answer of a platform. */
  readonly worked: number;
  /** Stops taking jobs, gives back what is not sent yet, waits for what is in flight. */
  close(): Promise<void>;
}

/** How the events of a lane are delivered, by their kind. */
export interface LanePorts {
  readonly conversions: PlatformPorts;
  readonly adjustments?: PlatformPorts | undefined;
}

/** One lane of one platform: jobs in, platform requests out. */
export function startLane(lane: DeliveryLane, ports: LanePorts, store: SharedStore, config: WorkerConfig, logger: Logger): RunningLane {
  const hungry = new Map<Coalescer, boolean>();
  let worked = 0;
  const noted = async <T>(work: () => Promise<T>): Promise<T> => {
    worked += 1;
    try {
      return await work();
    } finally {
      worked += 1;
    }
  };
  const coalescerOf = (given: PlatformPorts): Coalescer => {
    const own: DeliverPorts = {
      ...given,
      stopping: () => coalescer.stopping,
      report(attempt) {
        worked += 1;
        given.report(attempt);
      },
    };
    const coalescer: Coalescer = new Coalescer({
      concurrency: config.delivery.destinationConcurrency,
      maxJobs: config.delivery.workerConcurrency,
      maxEvents: own.definition.maxEvents,
      maxDestinations: own.definition.maxDestinations,
      maxRequestBytes: own.definition.maxRequestBytes,
      maxBufferedBytes: MAX_BUFFERED_BYTES,
      maxBufferedBytesPerDestination: MAX_BUFFERED_BYTES_PER_DESTINATION,
      deliver: (jobs) => deliver(jobs, own),
      onAppetite(wantsMore) {
        hungry.set(coalescer, wantsMore);
        worker.setAppetite([...hungry.values()].every(Boolean));
      },
      now: Date.now,
      random: Math.random,
    });
    return coalescer;
  };
  const conversions = coalescerOf(ports.conversions);
  const adjustments = ports.adjustments === undefined ? undefined : coalescerOf(ports.adjustments);
  const worker = lane.start({
    concurrency: config.delivery.workerConcurrency,
    deliver: (job: QueueJob) => noted(() => coalescerFor(job, conversions, adjustments).add(job)),
    pollStatus: (data) => noted(() => pollStatus(data, lane, ports.conversions, store, logger, config.googleStatusFirstPollMs)),
    onError: (error, what) => logger.error({ err: error, queue: lane.lane.queue }, what),
  });
  return {
    lane,
    get active() {
      return worker.active;
    },
    get lastAliveMs() {
      return worker.lastAliveMs;
    },
    get worked() {
      return worked;
    },
    async close() {
      conversions.stop();
      adjustments?.stop();
      await worker.close();
    },
  };
}

function coalescerFor(job: QueueJob, conversions: Coalescer, adjustments: Coalescer | undefined): Coalescer {
  if (job.data.j === undefined) return conversions;
  if (adjustments === undefined) throw new Error(`job ${job.jobId} holds ${job.data.j}s, which this queue has none of`);
  return adjustments;
}

/** Asks the platform what it did with a request; resolves with when to ask again. */
async function pollStatus(
  data: StatusData,
  lane: DeliveryLane,
  ports: PlatformPorts,
  store: SharedStore,
  logger: Logger,
  firstPollMs: number,
): Promise<number | undefined> {
  const source = ports.definition.status;
  const account = await store.accounts.get(data.accountId);
  if (source === undefined || account === undefined) return undefined;
  const again = () => nextPollAt(data.sentAt, Date.now(), firstPollMs, source.giveUpMs);
  if (account.status !== 'active') return again();
  const token = await ports.token(account);
  if (token.kind !== 'token') return again();
  const result = await ports.send(source.toRequest(data.statusId, { credentials: account.credentials, accessToken: token.accessToken }, ports.endpoints));
  if (result.kind === 'failed') return again();
  const verdict = source.readReply(result.reply);
  const facts = { accountId: data.accountId, platform: ports.definition.id, ...namedDeliveries(data.groups.flat().slice(0, 20)), traceId: data.statusId };
  logger.info({ ...facts, statusId: data.statusId, kind: verdict.kind }, 'delivery.status_polled');
  if (verdict.kind === 'gone') return undefined;
  if (verdict.kind === 'unauthorised') await ports.dropToken(account, token.accessToken);
  if (verdict.kind !== 'status') return again();
  await lane.noteStatus(data, verdict.groups);
  return verdict.groups.some((group) => group.status === 'processing') ? again() : undefined;
}
