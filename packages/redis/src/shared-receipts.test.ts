import { describe, expect, it } from 'vitest';
import { createLanes, newDeliveryId } from './keys.ts';
import { MAX_GROUP_REQUESTS } from './limits.ts';
import { sharedDeliveryId, sharedPlace } from './shared-receipts.ts';

describe.each([1, 12])('ids of the deliveries of a write, with %i lanes', (count) => {
  const lane = createLanes(count).of('metaads').at(-1)!;
  const write = newDeliveryId(lane, 1_795_902_658_761);
  const ids = Array.from({ length: MAX_GROUP_REQUESTS }, (_, n) => sharedDeliveryId(write, n));

  it('lead to one hash and an entry each, however many share a write', () => {
    const places = ids.map((id) => sharedPlace(lane.tag, id));
    expect(new Set(places.map((place) => place?.key))).toEqual(new Set([`${lane.tag}:dlvs:${write.slice(4, 24)}`]));
    expect(new Set(places.map((place) => place?.entry)).size).toBe(MAX_GROUP_REQUESTS);
  });

  it('say their lane, as others do', () => {
    expect(createLanes(count).ofDelivery(ids.at(-1)!)).toBe(lane.tag);
  });

  it('are no other delivery ids', () => {
    expect(sharedPlace(lane.tag, write)).toBeUndefined();
    for (const field of ['s00', 'o12', 'open', '00', '0000']) expect(sharedPlace(lane.tag, write.replace(/(?<=^.{24})/, field))).toBeUndefined();
  });
});
