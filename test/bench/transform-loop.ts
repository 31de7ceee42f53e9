import { createBodies } from './events.ts';

/** What a program of `transform.ts` prints, as one line of JSON. */
export interface Transformed {
  readonly eventsPerCpuSecond: number;
  /** The hashed members of `user_data` of the first events. */
  readonly sample: readonly Readonly<Record<string, readonly string[]>>[];
}

const EVENTS_PER_BATCH = 1000;
const SAMPLE_EVENTS = 50;
const HASHED = ['em', 'ph', 'fn', 'ln', 'ct', 'zp', 'country', 'external_id'] as const;

interface WireBody {
  readonly data: readonly { readonly user_data: Readonly<Record<string, unknown>> }[];
}

/**
 * Turns request bodies, as a JSON parser gives them, into the platform's, and counts CPU time of that alone. The events of
 * every batch are new ones, so that nobody gains from having seen them.
 */
export function runTransform(transform: (body: unknown) => string | Uint8Array): void {
  const [batches, warmUpBatches] = process.argv.slice(2).map(Number) as [number, number];
  const nextBody = createBodies(EVENTS_PER_BATCH);
  const first = JSON.parse(Buffer.from(transform(JSON.parse(nextBody().toString()))).toString()) as WireBody;
  for (let i = 0; i < warmUpBatches; i += 1) transform(JSON.parse(nextBody().toString()));
  let cpuUs = 0;
  for (let i = 0; i < batches; i += 1) {
    const body: unknown = JSON.parse(nextBody().toString());
    const before = process.cpuUsage();
    transform(body);
    const { user, system } = process.cpuUsage(before);
    cpuUs += user + system;
  }
  const result: Transformed = {
    eventsPerCpuSecond: (batches * EVENTS_PER_BATCH) / (cpuUs / 1e6),
    sample: first.data.slice(0, SAMPLE_EVENTS).map(({ user_data: data }) => Object.fromEntries(HASHED.map((key) => [key, [data[key]].flat() as string[]]))),
  };
  console.log(JSON.stringify(result));
}
