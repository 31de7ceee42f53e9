import { createBodies } from './events.ts';

/** The hashed members of `user_data` of one event. */
export type Hashed = Readonly<Record<string, readonly string[]>>;

export const EVENTS_PER_BATCH = 1000;
const SAMPLE_EVENTS = 50;
const HASHED = ['em', 'ph', 'fn', 'ln', 'ct', 'zp', 'country', 'external_id'] as const;

interface WireEvent {
  readonly user_data: Readonly<Record<string, unknown>>;
}

/**
 * Turns request bodies, as a JSON parser gives them, into the platform's, so many as each message asks for, and counts CPU time
 * of that alone. The events of every batch are new ones, so that nobody gains from having seen them.
 * Says what it made of the first events (`Hashed[]`) once it has started, and for each message the CPU time of all threads, µs.
 * @param read gives back the events of what `transform` made.
 */
export function runTransform<Made extends string | Uint8Array>(transform: (body: unknown) => Made, read: (made: Made) => readonly WireEvent[]): void {
  const nextBody = createBodies(EVENTS_PER_BATCH);
  process.on('message', (batches: number) => {
    let cpuUs = 0;
    for (let i = 0; i < batches; i += 1) {
      const body: unknown = JSON.parse(nextBody().toString());
      const before = process.cpuUsage();
      transform(body);
      const { user, system } = process.cpuUsage(before);
      cpuUs += user + system;
    }
    process.send!(cpuUs);
  });
  const first = read(transform(JSON.parse(nextBody().toString())));
  process.send!(first.slice(0, SAMPLE_EVENTS).map(hashedOf));
}

function hashedOf({ user_data: data }: WireEvent): Hashed {
  return Object.fromEntries(HASHED.map((key) => [key, [data[key]].flat() as string[]]));
}
