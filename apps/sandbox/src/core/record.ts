import { createCounts } from './counts.ts';
import type { Counts } from './counts.ts';
import type { AcceptedRequest, RequestEntry, SandboxPlatform } from './types.ts';

const RING_ENTRIES = 10_000;

export interface AcceptedFilter {
  readonly platform?: SandboxPlatform | undefined;
  readonly destinationId?: string | undefined;
  readonly eventId?: string | undefined;
  readonly limit: number;
}

export interface AcceptedEvent {
  readonly platform: SandboxPlatform;
  readonly destinationId: string;
  readonly eventId: string;
  readonly times: number;
}

interface Sizes {
  min: number;
  max: number;
  sum: number;
  requests: number;
}

interface PlatformRecord {
  requests: number;
  readonly answered: Record<string, number>;
  readonly sizes: Sizes;
  readonly destinations: Map<string, Counts>;
}

export interface AcceptanceRecord {
  accept(entry: AcceptedRequest): void;
  requested(entry: RequestEntry): void;
  accepted(filter: AcceptedFilter): { total: number; unique: number; duplicates: number; events: AcceptedEvent[] };
  requests(platform: SandboxPlatform | undefined, limit: number): readonly (RequestEntry & { readonly atMs: number })[];
  summary(): Record<string, unknown>;
  clear(): void;
}

const emptyRecord = (): PlatformRecord => ({
  requests: 0,
  answered: {},
  sizes: { min: 0, max: 0, sum: 0, requests: 0 },
  destinations: new Map(),
});

function noteSize(sizes: Sizes, events: number): void {
  sizes.min = sizes.requests === 0 ? events : Math.min(sizes.min, events);
  sizes.max = Math.max(sizes.max, events);
  sizes.sum += events;
  sizes.requests += 1;
}

function totalsOf(all: Iterable<Counts>) {
  let total = 0;
  let unique = 0;
  let anonymous = 0;
  for (const counts of all) {
    total += counts.total;
    unique += counts.unique;
    anonymous += counts.anonymous;
  }
  return { total, unique, duplicates: total - unique - anonymous };
}

function summaryOf(record: PlatformRecord) {
  const { total, unique, duplicates } = totalsOf(record.destinations.values());
  const { min, max, sum, requests } = record.sizes;
  const byDestination = Object.fromEntries(
    [...record.destinations].map(([id, counts]) => {
      const of = totalsOf([counts]);
      return [id, { accepted: of.total, unique: of.unique, duplicates: of.duplicates }];
    }),
  );
  return {
    requests: record.requests,
    answered: record.answered,
    accepted: total,
    unique,
    duplicates,
    sizes: { min, max, mean: requests === 0 ? 0 : sum / requests },
    byDestination,
  };
}

/** What the platforms took and answered. Nothing is deduplicated: an event taken twice is what a test looks for. */
export function createRecord(): AcceptanceRecord {
  const records = new Map<SandboxPlatform, PlatformRecord>();
  let ring: (RequestEntry & { readonly atMs: number })[] = [];
  let next = 0;

  function recordOf(platform: SandboxPlatform): PlatformRecord {
    let record = records.get(platform);
    if (record === undefined) records.set(platform, (record = emptyRecord()));
    return record;
  }

  function* matching(filter: AcceptedFilter): Generator<readonly [SandboxPlatform, string, Counts]> {
    for (const [platform, record] of records) {
      if (filter.platform !== undefined && filter.platform !== platform) continue;
      for (const [destinationId, counts] of record.destinations) {
        if (filter.destinationId === undefined || filter.destinationId === destinationId) yield [platform, destinationId, counts];
      }
    }
  }

  function oneEvent(filter: AcceptedFilter, eventId: string) {
    const events: AcceptedEvent[] = [];
    for (const [platform, destinationId, counts] of matching(filter)) {
      const times = counts.timesOf(eventId);
      if (times > 0) events.push({ platform, destinationId, eventId, times });
    }
    const total = events.reduce((sum, event) => sum + event.times, 0);
    return { total, unique: events.length, duplicates: total - events.length, events: events.slice(0, filter.limit) };
  }

  function listed(filter: AcceptedFilter): AcceptedEvent[] {
    const events: AcceptedEvent[] = [];
    for (const [platform, destinationId, counts] of matching(filter)) {
      for (const [eventId, times] of counts.entries()) {
        if (events.length >= filter.limit) return events;
        events.push({ platform, destinationId, eventId, times });
      }
    }
    return events;
  }

  return {
    accept(entry) {
      const record = recordOf(entry.platform);
      noteSize(record.sizes, entry.events.length);
      // Nearly all requests carry one destination: look its counts up once, not per event.
      let lastId: string | undefined;
      let counts: Counts | undefined;
      for (const { destinationId, eventId } of entry.events) {
        if (counts === undefined || destinationId !== lastId) {
          counts = record.destinations.get(destinationId);
          if (counts === undefined) record.destinations.set(destinationId, (counts = createCounts()));
          lastId = destinationId;
        }
        counts.add(eventId);
      }
    },
    requested(entry) {
      const record = recordOf(entry.platform);
      record.requests += 1;
      record.answered[entry.status] = (record.answered[entry.status] ?? 0) + 1;
      ring[next % RING_ENTRIES] = { ...entry, atMs: Date.now() };
      next += 1;
    },
    accepted(filter) {
      if (filter.eventId !== undefined) return oneEvent(filter, filter.eventId);
      return { ...totalsOf([...matching(filter)].map(([, , counts]) => counts)), events: listed(filter) };
    },
    requests(platform, limit) {
      const oldestFirst = next <= RING_ENTRIES ? ring : [...ring.slice(next % RING_ENTRIES), ...ring.slice(0, next % RING_ENTRIES)];
      const newestFirst = oldestFirst.toReversed();
      return (platform === undefined ? newestFirst : newestFirst.filter((entry) => entry.platform === platform)).slice(0, limit);
    },
    summary: () => Object.fromEntries([...records].map(([platform, record]) => [platform, summaryOf(record)])),
    clear() {
      records.clear();
      ring = [];
      next = 0;
    },
  };
}
