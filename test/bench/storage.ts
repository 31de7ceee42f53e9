import { fill } from './drain.ts';
import type { Ground } from './ground.ts';
import { median } from './numbers.ts';
import type { Say } from './say.ts';
import { openSystem } from './systems.ts';

export interface Storage {
  /** Of Redis' memory, everything that the relay keeps of a waiting event: payload, job, receipt, index. */
  readonly bytesPerEvent: number;
  /** Of the request bodies at the sink. */
  readonly wireBytesPerEvent: number;
}

export interface StorageSizes {
  readonly events: number;
}

/** What a batched event takes in Redis while it waits for a worker. */
export async function measureStorage(ground: Ground, { events }: StorageSizes, rounds: number, say: Say): Promise<Storage> {
  const taken: Storage[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    await using relay = await openSystem('relay', ground, { worker: false });
    const before = await ground.redisMemory();
    await fill(ground, relay, events);
    const bytesPerEvent = ((await ground.redisMemory()) - before) / events;
    await relay.startWorker();
    const { bytes } = await ground.sunkAll(events);
    taken.push({ bytesPerEvent, wireBytesPerEvent: bytes / events });
    say(`round ${round}: ${Math.round(bytesPerEvent)} bytes in Redis, ${Math.round(bytes / events)} on the wire`);
  }
  const of = (figure: keyof Storage) => median(taken.map((round) => round[figure]));
  return { bytesPerEvent: of('bytesPerEvent'), wireBytesPerEvent: of('wireBytesPerEvent') };
}
