import { describe, expect, it } from 'vitest';
import type { TakenJob } from './batch.ts';
import { deliver } from './deliver.ts';
import type { DeliverPorts } from './deliver-ports.ts';
import {
  accepted,
  aJob,
  anAccount,
  FAR,
  rateLimited,
  recordingPorts,
  rejectedEvents,
  retryVerdict,
  tooLarge,
  unauthorised,
  type Answer,
  type SentRequest,
  textOf,
} from './testing/deliver.test-kit.ts';

/** The clock of the ports stands at 1000, `random` gives 0.5. */
async function run(jobs: readonly TakenJob[], answer: (request: SentRequest, number: number) => Answer = () => accepted(), over: Partial<DeliverPorts> = {}) {
  const { ports, recorded } = recordingPorts(answer, over);
  return { fates: await deliver(jobs, ports), recorded };
}
const busy = (index: number) => accepted({ faults: [{ index, code: 'BUSY', message: 'later', retryable: true }] });

describe('the normal way', () => {
  it('sends all jobs in one request; all are done', async () => {
    const { fates, recorded } = await run([aJob({ jobId: 'a' }), aJob({ jobId: 'b', events: 2 })]);
    expect(fates).toEqual([{ kind: 'done' }, { kind: 'done' }]);
    expect(recorded.requests.map(({ items }) => items)).toEqual([['a/0', 'b/0', 'b/1']]);
    expect(recorded.calls).toEqual(['account', 'coolUntil', 'token', 'send', 'settle']);
  });

  it('sends with the token of the token source', async () => {
    const { recorded } = await run([aJob()], undefined, { token: () => Promise.resolve({ kind: 'token', accessToken: 'fresh' }) });
    expect(recorded.requests[0]!.accessToken).toBe('fresh');
  });

  it('goes on where a worker before it ended: a job whose events are all settled is done, without a request', async () => {
    const { fates, recorded } = await run([aJob({ load: () => Promise.resolve([]) })]);
    expect(fates).toEqual([{ kind: 'done' }]);
    expect(recorded.calls).toEqual(['account', 'coolUntil']);
  });

  it('asks each port at most once an attempt', async () => {
    const { recorded } = await run([aJob(), aJob(), aJob()], () => retryVerdict());
    expect(recorded.calls).toEqual(['account', 'coolUntil', 'token', 'send', 'note']);
  });
});

describe('the account', () => {
  it('gone: the events are dead, with the account as reason', async () => {
    const { fates, recorded } = await run([aJob({ events: 2 }), aJob()], undefined, { account: () => Promise.resolve(undefined) });
    expect(fates).toEqual([{ kind: 'done' }, { kind: 'done' }]);
    expect(recorded.deaths()).toMatchObject([{ reason: 'account', code: 'account_removed' }]);
    expect(recorded.dead()).toHaveLength(3);
  });

  it('gone, and nothing left of the job: nothing is written', async () => {
    const { fates, recorded } = await run([aJob({ load: () => Promise.resolve([]) })], undefined, { account: () => Promise.resolve(undefined) });
    expect(fates).toEqual([{ kind: 'done' }]);
    expect(recorded.settlements).toEqual([]);
  });

  it.each(['needs_reconnect', 'disabled'] as const)('%s: held until the first event expires, unopened', async (status) => {
    const { fates, recorded } = await run([aJob({ expiresAtMs: 5_000, load: () => Promise.reject(new Error('opened')) })], undefined, { account: () => Promise.resolve(anAccount({ status })) });
    expect(fates).toEqual([{ kind: 'hold', untilMs: 5_000 }]);
    expect(recorded.calls).toEqual([]);
  });

  it('held: what has expired is dead, what has not goes on waiting', async () => {
    const jobs = [aJob({ jobId: 'old', expiries: [900, 1_000] }), aJob({ jobId: 'mixed', expiries: [1_000, 9_000, 4_000] }), aJob({ jobId: 'young', expiries: [2_000] })];
    const { fates, recorded } = await run(jobs, undefined, { account: () => Promise.resolve(anAccount({ status: 'needs_reconnect' })) });
    expect(fates).toEqual([{ kind: 'done' }, { kind: 'hold', untilMs: 4_000 }, { kind: 'hold', untilMs: 2_000 }]);
    expect(recorded.dead()).toEqual(['old/0', 'old/1', 'mixed/0']);
    expect(recorded.deaths()).toMatchObject([{ reason: 'expired', code: 'expired' }]);
  });

  it('cooling down: later, unopened, no attempt spent, a little after the end', async () => {
    const { fates, recorded } = await run([aJob({ load: () => Promise.reject(new Error('opened')) })], undefined, { coolUntil: () => Promise.resolve(11_000) });
    expect(fates).toEqual([{ kind: 'delay', untilMs: 1_000 + 10_500 }]);
    expect(recorded.requests).toEqual([]);
  });

  it('cooled down: sent', async () => {
    const { fates } = await run([aJob()], undefined, { coolUntil: () => Promise.resolve(1_000) });
    expect(fates).toEqual([{ kind: 'done' }]);
  });
});

describe('no token', () => {
  const token = (kind: 'unauthorised' | 'operator' | 'retry' | 'busy') => ({ token: () => Promise.resolve({ kind, code: 'CODE', message: 'words' }) });

  it('since the grant ended: the account needs a reconnect, the jobs are held', async () => {
    const { fates, recorded } = await run([aJob({ expiries: [7_000, 5_000] })], undefined, token('unauthorised'));
    expect(fates).toEqual([{ kind: 'hold', untilMs: 5_000 }]);
    expect(recorded.reconnects).toEqual(['CODE: words']);
    expect(recorded.requests).toEqual([]);
  });

  it('since the token endpoint is away: an attempt like any other', async () => {
    const { fates, recorded } = await run([aJob({ attemptsMade: 2 })], undefined, token('retry'));
    expect(fates).toEqual([{ kind: 'retry', delayMs: 2_000, code: 'CODE' }]);
    expect(recorded.notes).toMatchObject([{ code: 'CODE', message: 'words', ambiguous: false, requestMs: undefined }]);
    expect(recorded.reconnects).toEqual([]);
  });

  it('since another process is still getting one: soon again, no attempt spent, not even the last', async () => {
    const { fates, recorded } = await run([aJob({ attemptsMade: 11 })], undefined, token('busy'));
    expect(fates).toEqual([{ kind: 'delay', untilMs: 1_000 + 1_050 }]);
    expect(recorded.notes).toMatchObject([{ code: 'CODE', message: 'words', ambiguous: false, requestMs: undefined }]);
    expect([recorded.coolDowns, recorded.settlements, recorded.reconnects]).toEqual([[], [], []]);
  });

  it('since the token endpoint limits calls: the account rests, no attempt is spent', async () => {
    const limited = { token: () => Promise.resolve({ kind: 'rate_limited' as const, cooldownMs: 30_000, code: 'CODE', message: 'words' }) };
    const { fates, recorded } = await run([aJob({ attemptsMade: 11 })], undefined, limited);
    expect(fates).toMatchObject([{ kind: 'delay' }]);
    expect(recorded.coolDowns).toMatchObject([{ scope: 'account' }]);
    expect(recorded.deaths()).toEqual([]);
  });

  it('since the operator has to put something right: tried again as rarely as we retry at all, nothing held', async () => {
    const { fates, recorded } = await run([aJob()], undefined, token('operator'));
    expect(fates).toEqual([{ kind: 'retry', delayMs: 945_000, code: 'CODE' }]);
    expect(recorded.reconnects).toEqual([]);
  });

  it('for too long, since the operator did not put it right: dead of that, which pages', async () => {
    const { fates, recorded } = await run([aJob({ attemptsMade: 11 })], undefined, token('operator'));
    expect(fates).toEqual([{ kind: 'done' }]);
    expect(recorded.deaths()).toMatchObject([{ reason: 'operator', code: 'CODE', message: 'words' }]);
    expect(recorded.settlements[0]!.requestMs).toBeUndefined();
  });

  it('for too long: the events are dead-lettered; what expired before that is dead of its age', async () => {
    const { fates, recorded } = await run([aJob({ jobId: 'a', attemptsMade: 11, expiries: [FAR, 1] })], undefined, token('retry'));
    expect(fates).toEqual([{ kind: 'done' }]);
    expect(recorded.deaths().map(({ reason, code, events }) => [reason, code, events.map(({ wire }) => textOf(wire))])).toEqual([
      ['expired', 'expired', ['a/1']],
      ['attempts_exhausted', 'CODE', ['a/0']],
    ]);
  });
});

describe('expired events', () => {
  it('are dead without a request', async () => {
    const { fates, recorded } = await run([aJob({ expiries: [1_000, 999] })]);
    expect(fates).toEqual([{ kind: 'done' }]);
    expect(recorded.requests).toEqual([]);
    expect(recorded.deaths()).toMatchObject([{ reason: 'expired' }]);
    expect(recorded.settlements[0]!.requestMs).toBeUndefined();
  });

  it('do not take the others along', async () => {
    const { fates, recorded } = await run([aJob({ jobId: 'a', expiries: [FAR, 10] }), aJob({ jobId: 'b' })]);
    expect(fates).toEqual([{ kind: 'done' }, { kind: 'done' }]);
    expect(recorded.dead()).toEqual(['a/1']);
    expect(recorded.delivered()).toEqual(['a/0', 'b/0']);
  });
});

describe('retry', () => {
  it('waits longer with every attempt, by full jitter', async () => {
    const delays = await Promise.all(
      [0, 1, 2, 10].map(async (attemptsMade) => (await run([aJob({ attemptsMade })], () => retryVerdict())).fates[0]),
    );
    expect(delays).toEqual([500, 1_000, 2_000, 450_000].map((delayMs) => ({ kind: 'retry', delayMs, code: '503' })));
  });

  it('waits as long as the platform asks, which wins over the backoff, shorter or longer', async () => {
    const { fates } = await run([aJob(), aJob({ attemptsMade: 10 })], () => retryVerdict(20_000));
    expect(fates).toEqual([21_000, 21_000].map((delayMs) => ({ kind: 'retry', delayMs, code: '503' })));
  });

  it('takes "at once" for no hint, so that an outage does not spend all attempts in a moment', async () => {
    const { fates } = await run([aJob({ attemptsMade: 4 })], () => retryVerdict(0));
    expect(fates).toEqual([{ kind: 'retry', delayMs: 8_000, code: '503' }]);
  });

  it('notes on the receipts what went wrong, and whether the platform may have taken the events', async () => {
    const job = aJob();
    const { recorded } = await run([job], () => ({ kind: 'failed', code: 'timeout', bodySent: true }));
    expect(recorded.notes).toEqual([{ job, code: 'timeout', message: 'timeout', traceId: undefined, requestMs: 7, ambiguous: true }]);
  });

  it('ends with the last attempt: dead with the reason and the last code; younger jobs of the same request go on', async () => {
    const { fates, recorded } = await run([aJob({ jobId: 'last', attemptsMade: 11, events: 2 }), aJob({ jobId: 'young' })], () => retryVerdict());
    expect(fates).toEqual([{ kind: 'done' }, { kind: 'retry', delayMs: 500, code: '503' }]);
    expect(recorded.deaths()).toMatchObject([{ reason: 'attempts_exhausted', code: '503', message: 'words', traceId: 'trace' }]);
    expect(recorded.dead()).toEqual(['last/0', 'last/1']);
    expect(recorded.calls.slice(-2)).toEqual(['note', 'settle']); // letters take the first attempt's time from the note
  });

  it('is not tried once more with MAX_ATTEMPTS 1, and only what is still open dies', async () => {
    const { fates, recorded } = await run([aJob({ jobId: 'a', events: 3 })], () => busy(1), { maxAttempts: 1 });
    expect(fates).toEqual([{ kind: 'done' }]);
    expect(recorded.delivered()).toEqual(['a/0', 'a/2']);
    expect(recorded.dead()).toEqual(['a/1']);
  });

  it('concerns only the jobs that have open events', async () => {
    const { fates, recorded } = await run([aJob({ jobId: 'a' }), aJob({ jobId: 'b' })], () => busy(1));
    expect(fates).toEqual([{ kind: 'done' }, { kind: 'retry', delayMs: 500, code: 'BUSY' }]);
    expect(recorded.notes.map(({ job }) => job.jobId)).toEqual(['b']);
  });
});

describe('rate limit', () => {
  it('cools the account down for all and spends no attempt, not even the last', async () => {
    const { fates, recorded } = await run([aJob({ attemptsMade: 11 })], () => rateLimited(60_000));
    expect(fates).toEqual([{ kind: 'delay', untilMs: 1_000 + 63_000 }]);
    expect(recorded.coolDowns).toEqual([{ scope: 'account', untilMs: 61_000 }]);
    expect(recorded.settlements).toEqual([]);
  });

  it('of a single event in an answer spends no attempt either', async () => {
    const { fates, recorded } = await run([aJob({ jobId: 'a', events: 2, attemptsMade: 11 })], () => accepted({ faults: [{ index: 1, code: '429', message: 'm', retryable: true, cooldownMs: 60_000 }] }));
    expect(fates).toEqual([{ kind: 'delay', untilMs: 1_000 + 63_000 }]);
    expect(recorded.coolDowns).toEqual([{ scope: 'account', untilMs: 61_000 }]);
    expect([recorded.delivered(), recorded.dead()]).toEqual([['a/0'], []]);
  });

  it('pauses for a second at least, whatever a platform is read to ask for', async () => {
    const { fates, recorded } = await run([aJob()], () => rateLimited(0));
    expect(fates).toEqual([{ kind: 'delay', untilMs: 1_000 + 1_050 }]);
    expect(recorded.coolDowns).toEqual([{ scope: 'account', untilMs: 2_000 }]);
  });

  it('cools the app down where the limit is the app’s', async () => {
    const { recorded } = await run([aJob()], () => rateLimited(60_000, 'app'));
    expect(recorded.coolDowns).toEqual([{ scope: 'app', untilMs: 61_000 }]);
  });

  it('in the middle of a search: what is settled stays settled', async () => {
    const { fates, recorded } = await run([aJob({ jobId: 'a' }), aJob({ jobId: 'b' })], ({ items }, number) => (number === 3 ? rateLimited(10_000) : items.includes('b/0') ? rejectedEvents() : accepted()));
    expect(fates).toEqual([{ kind: 'done' }, { kind: 'delay', untilMs: 11_500 }]);
    expect(recorded.delivered()).toEqual(['a/0']);
  });
});

describe('hold', () => {
  it('holds the account and its jobs, each until the first of its open events expires', async () => {
    const { fates, recorded } = await run([aJob({ expiries: [8_000, 6_000] }), aJob()], () => unauthorised(false));
    expect(fates).toEqual([
      { kind: 'hold', untilMs: 6_000 },
      { kind: 'hold', untilMs: FAR },
    ]);
    expect(recorded.reconnects).toEqual(['401: words']);
    expect(recorded.settlements).toEqual([]);
  });

  it('does not count an expired event’s time', async () => {
    const { fates } = await run([aJob({ expiries: [10, 6_000] })], () => unauthorised(false));
    expect(fates).toEqual([{ kind: 'hold', untilMs: 6_000 }]);
  });

  it('tries again at once where the credentials were replaced meanwhile', async () => {
    const { fates } = await run([aJob()], () => unauthorised(false), { needsReconnect: () => Promise.resolve(false) });
    expect(fates).toEqual([{ kind: 'delay', untilMs: 1_000 }]);
  });

  it('cuts the platform’s words to what a status line can show', async () => {
    const { recorded } = await run([aJob()], () => ({ ...unauthorised(false), message: 'x'.repeat(10_000) }) as Answer);
    expect(recorded.reconnects[0]).toHaveLength(500);
  });
});

describe('a worker that is told to stop', () => {
  it('gives back what is open as it was: no attempt, nothing noted, also where the last answer asked for another one', async () => {
    for (const faulted of [rejectedEvents({ indices: [0] }), accepted({ faults: [{ index: 0, code: 'BUSY', message: 'later', retryable: true }] })]) {
      let sent = 0;
      // The second half of what is too large is never sent.
      const answers = [tooLarge(), faulted];
      const { fates, recorded } = await run([aJob({ jobId: 'a', attemptsMade: 11 }), aJob({ jobId: 'b' })], () => answers[sent++]!, { stopping: () => sent === 2 });
      expect(recorded.requests).toHaveLength(2);
      expect(fates.at(-1)).toEqual({ kind: 'give_back' });
      expect(recorded.notes).toEqual([]);
      expect(fates[0]).toEqual(faulted.kind === 'accepted' ? { kind: 'give_back' } : { kind: 'done' });
    }
  });
});

describe('faults of our own', () => {
  const unreadable = (over: Partial<TakenJob> = {}) => aJob({ load: () => Promise.reject(new Error('no key fits')), ...over });

  it('a job that cannot be opened comes again later, no attempt spent, and does not take the others down', async () => {
    const broken = unreadable({ attemptsMade: 40 });
    const { fates, recorded } = await run([aJob({ jobId: 'a' }), broken, aJob({ jobId: 'c' })]);
    expect(fates).toEqual([{ kind: 'done' }, { kind: 'delay', untilMs: 61_000 }, { kind: 'done' }]);
    expect(recorded.delivered()).toEqual(['a/0', 'c/0']);
    expect(recorded.notes).toMatchObject([{ job: broken, code: 'payload_unreadable', ambiguous: false }]);
  });

  it('nor do others’ fates change it: held or gone accounts, and requests that stop', async () => {
    const jobs = () => [aJob({ expiries: [10, 5_000] }), unreadable({ expiresAtMs: 10 })];
    const away = { kind: 'delay', untilMs: 61_000 };
    expect((await run(jobs(), undefined, { account: () => Promise.resolve(anAccount({ status: 'disabled' })) })).fates).toEqual([{ kind: 'hold', untilMs: 5_000 }, away]);
    expect((await run(jobs(), undefined, { account: () => Promise.resolve(undefined) })).fates).toEqual([{ kind: 'done' }, away]);
    expect((await run(jobs(), () => unauthorised(false))).fates).toEqual([{ kind: 'hold', untilMs: 5_000 }, away]);
  });

  it('where none can be opened the fault is passed on', async () => {
    await expect(run([unreadable(), unreadable()])).rejects.toThrow('no key fits');
  });

  it('a port that throws is passed on: no job is taken for done', async () => {
    const away = () => Promise.reject(new Error('away'));
    for (const over of [{ account: away }, { coolUntil: away }, { token: away }, { settle: away }] as Partial<DeliverPorts>[]) {
      await expect(run([aJob()], undefined, over)).rejects.toThrow('away');
    }
    await expect(run([aJob()], () => retryVerdict(), { noteRetry: away })).rejects.toThrow('away');
    await expect(run([aJob()], () => rateLimited(1), { coolDown: away })).rejects.toThrow('away');
    await expect(run([aJob()], () => unauthorised(false), { needsReconnect: away })).rejects.toThrow('away');
  });
});
