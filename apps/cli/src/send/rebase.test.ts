import { describe, expect, it } from 'vitest';
import { prepareEvent } from './rebase.ts';

describe('prepareEvent', () => {
  it('turns secondsAgo into eventTime', () => {
    expect(prepareEvent({ eventId: 'e1', secondsAgo: 60 }, 1_000)).toEqual({ event: { eventId: 'e1', eventTime: 940 } });
  });
  it('puts a negative secondsAgo into the future', () => {
    expect(prepareEvent({ secondsAgo: -60 }, 1_000)).toEqual({ event: { eventTime: 1_060 } });
  });
  it('leaves an event with eventTime as it is', () => {
    expect(prepareEvent({ eventTime: 5 }, 1_000)).toEqual({ event: { eventTime: 5 } });
  });
  it.each([
    [{ secondsAgo: 60 }, undefined, /--rebase/],
    [{ secondsAgo: 60, eventTime: 5 }, 1_000, /both/],
    [{ secondsAgo: '60' }, 1_000, /not a number/],
    [[1], 1_000, /not a JSON object/],
    [null, 1_000, /not a JSON object/],
    ['text', 1_000, /not a JSON object/],
  ])('refuses %j', (value, rebaseTo, why) => {
    expect(prepareEvent(value, rebaseTo)).toEqual({ fault: expect.stringMatching(why) as string });
  });
});
