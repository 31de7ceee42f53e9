import type { Verdict } from '@relay/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BatchEvent } from './batch.ts';
import type { DeliverPorts } from './deliver-ports.ts';
import { sendUntilSettled } from './send-until-settled.ts';
import {
  accepted,
  aDefinition,
  aJob,
  anAccount,
  eventsOf,
  rateLimited,
  recordingPorts,
  rejectedEvents,
  rejectedRequest,
  retryVerdict,
  tooLarge,
  unauthorised,
  type Answer,
  type SentRequest,
  textOf,
} from './testing/deliver.test-kit.ts';

const auth = () => ({ account: anAccount(), accessToken: 'token-1' });

async function send(events: readonly BatchEvent[], answer: (request: SentRequest, number: number) => Answer, over: Partial<DeliverPorts> = {}) {
  const { ports, recorded } = recordingPorts(answer, over);
  const result = await sendUntilSettled(events, auth(), ports);
  return { ...result, recorded, openWires: result.open.map(({ wire }) => textOf(wire)) };
}

/** Told to stop once so many requests were sent. */
function stopAfter(requests: number, answer: (request: SentRequest, number: number) => Answer) {
  let sent = 0;
  const counting = (request: SentRequest, number: number) => {
    sent = number;
    return answer(request, number);
  };
  return { answer: counting, over: { stopping: () => sent >= requests } };
}

const aStatus = { firstPollMs: 1_800_000 } as NonNullable<ReturnType<typeof aDefinition>['status']>; // only read for this
const wires = (jobId: string, ...positions: number[]) => positions.map((position) => `${jobId}/${position}`);

describe('an accepted request', () => {
  it('delivers all events in one settlement with the trace id and the time it took', async () => {
    const { recorded, stopped, open } = await send(await eventsOf(aJob({ jobId: 'a', events: 3 })), () => accepted());
    expect({ stopped, open }).toEqual({ stopped: undefined, open: [] });
    expect(recorded.delivered()).toEqual(wires('a', 0, 1, 2));
    expect(recorded.settlements).toMatchObject([{ delivered: { traceId: 'trace', poll: undefined }, dead: [], requestMs: 7 }]);
    expect(recorded.reports).toMatchObject([{ outcome: 'delivered', events: 3, jobs: 1, destinationIds: ['dest'], httpStatus: 200, code: undefined }]);
  });

  it('reports the client requests that were in it, each once, and of many the first twenty', async () => {
    const one = await send(await eventsOf(aJob({ jobId: 'a', events: 3 })), () => accepted());
    expect(one.recorded.reports[0]!.deliveryIds).toEqual(['dlv-a-0']);
    const two = await send(await eventsOf(aJob({ jobId: 'a', parts: [0, 0, 1] }), aJob({ jobId: 'b' })), ({ items }) => (items.includes('a/2') ? rejectedEvents({ indices: [2] }) : accepted()));
    expect(two.recorded.reports.map(({ deliveryIds }) => deliveryIds)).toEqual([['dlv-a-0', 'dlv-a-1', 'dlv-b-0'], ['dlv-a-0', 'dlv-b-0']]);
    const many = await send(await eventsOf(aJob({ parts: Array.from({ length: 30 }, (_, part) => part) })), () => accepted());
    expect(many.recorded.reports[0]!.deliveryIds).toHaveLength(20);
  });

  it('asks for a later status only where the platform tells one', async () => {
    const events = await eventsOf(aJob());
    const without = await send(events, () => accepted({ statusId: 's' }));
    const withStatus = await send(events, () => accepted({ statusId: 's' }), { definition: aDefinition({ status: aStatus }) });
    expect(without.recorded.settlements[0]!.delivered!.poll).toBeUndefined();
    expect(withStatus.recorded.settlements[0]!.delivered!.poll).toEqual({ statusId: 's', afterMs: 1_800_000 });
  });

  it('buries final faults by cause and leaves passing ones open', async () => {
    const fault = (index: number, code: string, retryable = false) => ({ index, code, message: `${code} words`, retryable });
    const { recorded, openWires, stopped } = await send(await eventsOf(aJob({ jobId: 'a', events: 6 })), () =>
      accepted({ faults: [fault(1, 'BAD'), fault(2, 'BUSY', true), fault(4, 'BAD'), fault(5, 'WORSE')] }),
    );
    expect(recorded.delivered()).toEqual(wires('a', 0, 3));
    expect(recorded.deaths().map(({ events, code, message, reason }) => [events.map(({ wire }) => textOf(wire)), code, message, reason])).toEqual([
      [wires('a', 1, 4), 'BAD', 'BAD words', 'rejected'],
      [wires('a', 5), 'WORSE', 'WORSE words', 'rejected'],
    ]);
    expect(recorded.settlements).toHaveLength(1);
    expect(openWires).toEqual(wires('a', 2));
    expect(stopped).toMatchObject({ kind: 'retry', code: 'BUSY', ambiguous: false, afterMs: undefined });
    expect(recorded.reports[0]!.outcome).toBe('partial');
  });

  it('stops at the limit of a single event, once the others are settled: no more is sent, and what else may pass waits along', async () => {
    const busy = { index: 0, code: 'BUSY', message: '', retryable: true };
    const limited = (index: number, cooldownMs: number) => ({ index, code: '429', message: 'too many', retryable: true, cooldownMs });
    const { recorded, openWires, stopped } = await send(await eventsOf(aJob({ jobId: 'a', events: 8 })), (_request, number) =>
      number === 1 ? tooLarge() : accepted({ faults: [busy, limited(1, 60_000), limited(2, 90_000)] }),
    );
    expect(recorded.requests).toHaveLength(2);
    expect(recorded.delivered()).toEqual(wires('a', 3));
    expect(openWires).toEqual(wires('a', 0, 1, 2, 4, 5, 6, 7));
    expect(stopped).toMatchObject({ kind: 'rate_limited', scope: 'account', cooldownMs: 90_000, code: '429', message: 'too many', requestMs: 7 });
  });

  it('settles nothing where every event has to come again', async () => {
    const { recorded, openWires } = await send(await eventsOf(aJob({ jobId: 'a', events: 1 })), () =>
      accepted({ faults: [{ index: 0, code: 'BUSY', message: '', retryable: true }] }),
    );
    expect(recorded.settlements).toEqual([]);
    expect(openWires).toEqual(wires('a', 0));
  });

  it('takes an index that was not sent for nobody', async () => {
    const { recorded } = await send(await eventsOf(aJob({ jobId: 'a', events: 2 })), () => accepted({ faults: [{ index: 2, code: 'X', message: '', retryable: false }] }));
    expect(recorded.delivered()).toEqual(wires('a', 0, 1));
    expect(recorded.dead()).toEqual([]);
  });
});

describe('what stops', () => {
  it.each<[string, Answer, object]>([
    ['a retry, with its hint; the platform may have taken the events', retryVerdict(5_000), { kind: 'retry', afterMs: 5_000, code: '503', ambiguous: true, requestMs: 7 }],
    ['a rate limit', rateLimited(60_000, 'app'), { kind: 'rate_limited', scope: 'app', cooldownMs: 60_000, requestMs: 7 }],
    ['a dead grant', unauthorised(false), { kind: 'unauthorised', code: '401', requestMs: 7 }],
    ['a timeout after the body was sent', { kind: 'failed', code: 'timeout', bodySent: true }, { kind: 'retry', code: 'timeout', ambiguous: true, afterMs: undefined }],
    ['a connection that never was', { kind: 'failed', code: 'connect', bodySent: false }, { kind: 'retry', code: 'connect', ambiguous: false }],
  ])('%s: nothing is settled, all stays open', async (_name, answer, expected) => {
    const { recorded, stopped, openWires } = await send(await eventsOf(aJob({ jobId: 'a', events: 2 })), () => answer);
    expect(stopped).toMatchObject(expected);
    expect(openWires).toEqual(wires('a', 0, 1));
    expect(recorded.settlements).toEqual([]);
    expect(recorded.requests).toHaveLength(1);
  });

  it('reports a failure on the wire without a status', async () => {
    const { recorded } = await send(await eventsOf(aJob()), () => ({ kind: 'failed', code: 'reset', bodySent: true }));
    expect(recorded.reports).toMatchObject([{ outcome: 'retry', code: 'reset', httpStatus: undefined }]);
  });

  it.each<[string, Verdict]>([
    ['rate_limited', rateLimited(60_000)],
    ['unauthorised', unauthorised(false)],
    ['retry', retryVerdict(60_000)],
  ])('%s wins over a single event that had to come again before it', async (kind, verdict) => {
    // Too large, so in halves: the first has a passing fault, the second stops all.
    const { stopped, openWires } = await send(await eventsOf(aJob({ jobId: 'a', events: 4 })), (_request, number) =>
      number === 1 ? tooLarge() : number === 2 ? accepted({ faults: [{ index: 0, code: 'BUSY', message: '', retryable: true }] }) : verdict,
    );
    expect(stopped).toMatchObject({ kind, ...('afterMs' in verdict && { afterMs: 60_000, ambiguous: true }) });
    expect(openWires).toEqual(wires('a', 0, 2, 3));
  });
});

describe('rejected events', () => {
  it('takes out those the platform names, with the words for each, and delivers the rest', async () => {
    const { recorded } = await send(await eventsOf(aJob({ jobId: 'a', events: 4 })), (_request, number) =>
      number === 1 ? rejectedEvents({ indices: [1, 3, 3, 9], faults: [{ index: 3, code: 'OWN', message: 'its own', retryable: false }] }) : accepted(),
    );
    expect(recorded.deaths().map(({ events, code, message }) => [events.map(({ wire }) => textOf(wire)), code, message])).toEqual([
      [wires('a', 1), 'CODE', 'words'],
      [wires('a', 3), 'OWN', 'its own'],
    ]);
    expect(recorded.delivered()).toEqual(wires('a', 0, 2));
    expect(recorded.calls).toEqual(['send', 'settle', 'send', 'settle']);
  });

  it('leaves open what the platform names as passing', async () => {
    const { recorded, openWires, stopped } = await send(await eventsOf(aJob({ jobId: 'a', events: 2 })), (_request, number) =>
      number === 1 ? rejectedEvents({ indices: [0], faults: [{ index: 0, code: 'BUSY', message: '', retryable: true }] }) : accepted(),
    );
    expect(openWires).toEqual(wires('a', 0));
    expect(stopped).toMatchObject({ kind: 'retry', code: 'BUSY' });
    expect(recorded.delivered()).toEqual(wires('a', 1));
  });

  it('cuts in two where every named index was never sent', async () => {
    const { recorded } = await send(await eventsOf(aJob({ jobId: 'a', events: 2 })), ({ items }) => (items.includes('a/1') ? rejectedEvents({ indices: [7] }) : accepted()));
    expect([recorded.delivered(), recorded.dead()]).toEqual([wires('a', 0), wires('a', 1)]);
  });

  it('dead-letters the whole request with SALVAGE off, even what the platform did not name', async () => {
    const { recorded } = await send(await eventsOf(aJob({ jobId: 'a', events: 3 })), () => rejectedEvents({ indices: [1] }), { salvage: false });
    expect(recorded.dead()).toEqual(wires('a', 0, 1, 2));
    expect(recorded.requests).toHaveLength(1);
  });

  it('reads the indices of several destinations flattened, in the order sent', async () => {
    const a = aJob({ jobId: 'a', destinationId: 'A', events: 2 });
    const b = aJob({ jobId: 'b', destinationId: 'B', events: 3 });
    const late = aJob({ jobId: 'c', destinationId: 'A', events: 1 });
    const { recorded } = await send(await eventsOf(a, b, late), (_request, number) => (number === 1 ? rejectedEvents({ indices: [2, 4] }) : number === 2 ? rejectedEvents({ indices: [3] }) : accepted()));
    // Sent as A: a/0 a/1 c/0, B: b/0 b/1 b/2; then without c/0 and b/1; then without b/2.
    expect(recorded.requests.map(({ groups }) => groups)).toEqual([
      [
        { destinationId: 'A', items: ['a/0', 'a/1', 'c/0'] },
        { destinationId: 'B', items: ['b/0', 'b/1', 'b/2'] },
      ],
      [
        { destinationId: 'A', items: ['a/0', 'a/1'] },
        { destinationId: 'B', items: ['b/0', 'b/2'] },
      ],
      [
        { destinationId: 'A', items: ['a/0', 'a/1'] },
        { destinationId: 'B', items: ['b/0'] },
      ],
    ]);
    expect(recorded.dead()).toEqual(['c/0', 'b/1', 'b/2']);
    expect(recorded.delivered()).toEqual(['a/0', 'a/1', 'b/0']);
  });

  it('leaves exactly the unsettled events open when something stops the search', async () => {
    // 8 events, the first bad: root, 0-3, 0-1, 0 (dead), 1 (delivered), then 2-3 is rate limited.
    const { recorded, openWires, stopped } = await send(await eventsOf(aJob({ jobId: 'a', events: 8 })), ({ items }, number) =>
      number === 6 ? rateLimited(1_000) : items.includes('a/0') ? rejectedEvents() : accepted(),
    );
    expect(stopped).toMatchObject({ kind: 'rate_limited' });
    expect(recorded.dead()).toEqual(['a/0']);
    expect(recorded.delivered()).toEqual(['a/1']);
    expect(openWires).toEqual(wires('a', 2, 3, 4, 5, 6, 7));
  });
});

describe('a rejected request', () => {
  it.each(['destination', 'account', 'operator'] as const)('is never split: concern %s becomes the reason', async (concern) => {
    const { recorded } = await send(await eventsOf(aJob({ jobId: 'a', events: 3 })), () => rejectedRequest({ concern }));
    expect(recorded.requests).toHaveLength(1);
    expect(recorded.deaths()).toMatchObject([{ reason: concern, code: 'CODE' }]);
    expect(recorded.dead()).toHaveLength(3);
  });

  it('buries the named destinations and sends the others, whose numbers have moved up', async () => {
    const jobs = ['A', 'B', 'C', 'D'].map((destinationId) => aJob({ jobId: destinationId, destinationId, events: 2 }));
    const { recorded } = await send(await eventsOf(...jobs), (_request, number) =>
      number === 1 ? rejectedRequest({ groups: [1] }) : number === 2 ? rejectedRequest({ groups: [1] }) : accepted(),
    );
    expect(recorded.dead()).toEqual(['B/0', 'B/1', 'C/0', 'C/1']);
    expect(recorded.delivered()).toEqual(['A/0', 'A/1', 'D/0', 'D/1']);
    expect(recorded.calls).toEqual(['send', 'settle', 'send', 'settle', 'send', 'settle']);
  });

  it.each([true, false])('asks each destination alone where none was named, salvage %s: only the one at fault is buried', async (salvage) => {
    const jobs = ['A', 'B', 'C'].map((destinationId) => aJob({ jobId: destinationId, destinationId, events: 2 }));
    const { recorded } = await send(await eventsOf(...jobs), ({ items }) => (items.includes('B/0') ? rejectedRequest({ concern: 'account' }) : accepted()), { salvage });
    expect(recorded.requests.map(({ items }) => items)).toEqual([['A/0', 'A/1', 'B/0', 'B/1', 'C/0', 'C/1'], ['A/0', 'A/1'], ['B/0', 'B/1'], ['C/0', 'C/1']]);
    expect(recorded.delivered()).toEqual(['A/0', 'A/1', 'C/0', 'C/1']);
    expect(recorded.deaths()).toMatchObject([{ reason: 'account' }]);
    expect(recorded.dead()).toEqual(['B/0', 'B/1']);
  });

  it('leaves the destinations that were not asked yet open when something stops that', async () => {
    const jobs = ['A', 'B', 'C'].map((destinationId) => aJob({ jobId: destinationId, destinationId }));
    const { openWires, stopped, recorded } = await send(await eventsOf(...jobs), (_request, number) => (number === 1 ? rejectedRequest() : number === 2 ? accepted() : rateLimited(60_000)));
    expect(recorded.delivered()).toEqual(['A/0']);
    expect(openWires).toEqual(['B/0', 'C/0']);
    expect(stopped).toMatchObject({ kind: 'rate_limited' });
  });

  it('concerns all where the named destination was never sent, instead of asking for ever', async () => {
    const { recorded, open } = await send(await eventsOf(aJob({ events: 2 })), () => rejectedRequest({ groups: [4] }));
    expect(recorded.requests).toHaveLength(1);
    expect(recorded.dead()).toHaveLength(2);
    expect(open).toEqual([]);
  });
});

describe('a request that is too large', () => {
  it('is halved until it is not, also with SALVAGE off', async () => {
    const { recorded } = await send(await eventsOf(aJob({ jobId: 'a', events: 10 })), ({ items }) => (items.length > 3 ? tooLarge() : accepted()), { salvage: false });
    expect(recorded.delivered()).toHaveLength(10);
    expect(recorded.dead()).toEqual([]);
  });

  it('is sent in two whole halves: its size says nothing against the second', async () => {
    const { recorded } = await send(await eventsOf(aJob({ events: 10 })), ({ items }) => (items.length > 5 ? tooLarge() : accepted()));
    expect(recorded.requests.map(({ items }) => items.length)).toEqual([10, 5, 5]);
  });

  it('buries an event that is too large alone', async () => {
    const { recorded } = await send(await eventsOf(aJob({ jobId: 'a', events: 4 })), ({ items }) => (items.includes('a/2') ? tooLarge() : accepted()));
    expect(recorded.deaths()).toMatchObject([{ reason: 'rejected', code: '413' }]);
    expect(recorded.dead()).toEqual(['a/2']);
    expect(recorded.delivered()).toEqual(wires('a', 0, 1, 3));
  });

  it('does not hide a bad event from the search above it', async () => {
    const { recorded } = await send(await eventsOf(aJob({ jobId: 'a', events: 16 })), ({ items }) =>
      items.length > 2 && items.length < 8 ? tooLarge() : items.includes('a/5') ? rejectedEvents() : accepted(),
    );
    expect(recorded.dead()).toEqual(['a/5']);
    expect(recorded.delivered()).toHaveLength(15);
  });
});

describe('a worker that is told to stop', () => {
  it('begins no further request of a salvage: what has an answer keeps it, the rest is open', async () => {
    const { answer, over } = stopAfter(2, ({ items }) => (items.includes('a/6') ? rejectedEvents() : accepted()));
    const { recorded, openWires, stopped } = await send(await eventsOf(aJob({ jobId: 'a', events: 8 })), answer, over);
    expect(recorded.requests.map(({ items }) => items.length)).toEqual([8, 4]);
    expect(recorded.delivered()).toEqual(wires('a', 0, 1, 2, 3));
    expect({ stopped, openWires }).toEqual({ stopped: { kind: 'stopping' }, openWires: wires('a', 4, 5, 6, 7) });
  });

  it('sends what was about to be sent no more', async () => {
    const { recorded, openWires } = await send(await eventsOf(aJob({ jobId: 'a', events: 2 })), () => accepted(), { stopping: () => true });
    expect(recorded.calls).toEqual([]);
    expect(openWires).toEqual(wires('a', 0, 1));
  });
});

describe('a refused access token', () => {
  const refreshed = (): Pick<DeliverPorts, 'token'> => ({ token: () => Promise.resolve({ kind: 'token', accessToken: 'token-2' }) });

  it('is dropped and replaced once; the same events go out with the new one', async () => {
    const { recorded, stopped } = await send(await eventsOf(aJob({ jobId: 'a', events: 2 })), ({ accessToken }) => (accessToken === 'token-1' ? unauthorised(true) : accepted()), refreshed());
    expect(recorded.dropped).toEqual(['token-1']);
    expect(recorded.requests.map(({ accessToken }) => accessToken)).toEqual(['token-1', 'token-2']);
    expect(recorded.delivered()).toEqual(wires('a', 0, 1));
    expect(stopped).toBeUndefined();
  });

  it('is about the grant the second time', async () => {
    const { recorded, stopped } = await send(await eventsOf(aJob({ events: 2 })), () => unauthorised(true), refreshed());
    expect(recorded.requests).toHaveLength(2);
    expect(recorded.dropped).toEqual(['token-1']);
    expect(stopped).toMatchObject({ kind: 'unauthorised', code: '401' });
  });

  it('is about the grant where no other token comes', async () => {
    const { recorded, stopped } = await send(await eventsOf(aJob()), () => unauthorised(true));
    expect(recorded.requests).toHaveLength(1);
    expect(stopped).toMatchObject({ kind: 'unauthorised' });
  });

  it('is about the grant where the refresh says so, in the words of the refresh', async () => {
    const { stopped } = await send(await eventsOf(aJob()), () => unauthorised(true), { token: () => Promise.resolve({ kind: 'unauthorised', code: 'invalid_grant', message: 'revoked' }) });
    expect(stopped).toMatchObject({ kind: 'unauthorised', code: 'invalid_grant', requestMs: 7 });
  });

  it.each(['retry', 'operator'] as const)('is no fault of the account where the refresh ends in %s: tried again, not held', async (kind) => {
    const { stopped } = await send(await eventsOf(aJob()), () => unauthorised(true), { token: () => Promise.resolve({ kind, code: 'timeout', message: 'no answer' }) });
    expect(stopped).toMatchObject({ kind: 'retry', code: 'timeout', ambiguous: false, afterMs: kind === 'operator' ? 900_000 : undefined });
  });

  it('is replaced in the middle of a search too, and the search goes on', async () => {
    const { recorded } = await send(
      await eventsOf(aJob({ jobId: 'a', events: 8 })),
      ({ items, accessToken }, number) => (number >= 3 && accessToken === 'token-1' ? unauthorised(true) : items.includes('a/3') ? rejectedEvents() : accepted()),
      refreshed(),
    );
    expect(recorded.dead()).toEqual(['a/3']);
    expect(recorded.delivered()).toHaveLength(7);
  });
});

describe('order', () => {
  it('writes what an answer settled before the next request goes out', async () => {
    const { recorded } = await send(await eventsOf(aJob({ jobId: 'a', events: 32 })), ({ items }) => (items.some((wire) => wire.endsWith('7')) ? rejectedEvents() : accepted()));
    const settling = recorded.requests.map(({ items }) => items.length === 1 || !items.some((wire) => wire.endsWith('7')));
    expect(recorded.calls).toEqual(settling.flatMap((settles) => (settles ? ['send', 'settle'] : ['send'])));
  });

  it('passes on that a settlement could not be written, and sends no more', async () => {
    const { ports, recorded } = recordingPorts(() => accepted(), { settle: () => Promise.reject(new Error('away')) });
    await expect(sendUntilSettled(await eventsOf(aJob({ events: 2 })), auth(), ports)).rejects.toThrow('away');
    expect(recorded.requests).toHaveLength(1);
  });
});

it('conserves events whatever the platform says: settled once or open, and never open without a stop', async () => {
  const index = fc.integer({ min: -1, max: 12 });
  const fault = fc.record({ index, code: fc.constantFrom('X', 'Y'), message: fc.constant('m'), retryable: fc.boolean() });
  const verdict = fc.oneof(
    { weight: 3, arbitrary: fc.array(fault, { maxLength: 4 }).map((faults) => accepted({ faults })) },
    { weight: 3, arbitrary: fc.record({ indices: fc.array(index, { maxLength: 4 }), faults: fc.array(fault, { maxLength: 3 }) }).map((over) => rejectedEvents(over)) },
    { weight: 2, arbitrary: fc.array(index, { maxLength: 2 }).map((groups) => rejectedRequest({ groups })) },
    fc.constantFrom(tooLarge(), unauthorised(true), unauthorised(false), retryVerdict(), rateLimited(1)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom('A', 'B', 'C'), fc.integer({ min: 1, max: 4 })), { minLength: 1, maxLength: 6 }), fc.array(verdict, { minLength: 1, maxLength: 40 }), fc.boolean(), async (shapes, verdicts, salvage) => {
      const jobs = shapes.map(([destinationId, events], i) => aJob({ jobId: `j${i}`, destinationId, events }));
      const events = await eventsOf(...jobs);
      let tokens = 1;
      const { recorded, stopped, openWires } = await send(events, (_request, number) => verdicts[number - 1] ?? accepted(), {
        salvage,
        token: () => Promise.resolve({ kind: 'token', accessToken: `token-${(tokens += 1)}` }),
      });
      expect([...recorded.delivered(), ...recorded.dead(), ...openWires].sort()).toEqual(events.map(({ wire }) => textOf(wire)).sort());
      expect(openWires.length === 0 || stopped !== undefined).toBe(true);
      for (const { groups } of recorded.requests) expect(new Set(groups.map(({ destinationId }) => destinationId)).size).toBe(groups.length);
    }),
    { numRuns: 400 },
  );
});

describe('faults of single events that are not what they seem', () => {
  const already = (code: string): Answer => accepted({ faults: [{ index: 0, code, message: 'done already', retryable: false }] });
  const over = { definition: aDefinition({ alreadyTakenCodes: new Set(['ALREADY']) }) };

  it('counts "done already" as taken after an attempt, whether it failed or its worker died, and as refused before', async () => {
    for (const [job, delivered] of [[{ attemptsMade: 1 }, 1], [{ begunBefore: true }, 1], [{}, 0]] as const) {
      const { ports, recorded } = recordingPorts(() => already('ALREADY'), over);
      await sendUntilSettled(await eventsOf(aJob(job)), { account: anAccount(), accessToken: 't' }, ports);
      expect(recorded.delivered()).toHaveLength(delivered);
      expect(recorded.dead()).toHaveLength(1 - delivered);
    }
  });

  it('waits as long as the longest of them asks for', async () => {
    const faults = [0, 1].map((index) => ({ index, code: 'TOO_RECENT', message: 'later', retryable: true, afterMs: (index + 1) * 3_600_000 }));
    const { ports } = recordingPorts(() => accepted({ faults }));
    const { stopped } = await sendUntilSettled(await eventsOf(aJob({ events: 2 })), { account: anAccount(), accessToken: 't' }, ports);
    expect(stopped).toMatchObject({ kind: 'retry', afterMs: 7_200_000 });
  });
});

describe('a job that another worker has taken over meanwhile', () => {
  it('is not sent, and is neither settled nor left open', async () => {
    const lost = aJob({ jobId: 'lost', events: 2, isOurs: () => Promise.resolve(false) });
    const { recorded, open, stopped } = await send(await eventsOf(lost, aJob({ jobId: 'ours', events: 2 })), () => accepted());
    expect(recorded.requests.map(({ items }) => items)).toEqual([wires('ours', 0, 1)]);
    expect(recorded.delivered()).toEqual(wires('ours', 0, 1));
    expect({ open, stopped }).toEqual({ open: [], stopped: undefined });
  });

  it('is not sent on in the middle of a search', async () => {
    let looks = 0;
    const job = aJob({ jobId: 'a', events: 4, isOurs: () => Promise.resolve((looks += 1) < 2) });
    const { recorded, open } = await send(await eventsOf(job), () => rejectedEvents());
    expect(recorded.requests).toHaveLength(1);
    expect(recorded.settlements).toEqual([]);
    expect(open).toEqual([]);
  });
});
