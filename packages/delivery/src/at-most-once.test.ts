import { describe, expect, it } from 'vitest';
import { deliver } from './deliver.ts';
import { accepted, aDefinition, aJob, recordingPorts, type Answer } from './testing/deliver.test-kit.ts';

/** A platform that counts repeats twice, such as Meta's business messaging. `open`: its answers leave the end open. */
const counting = (open = false) => ({ definition: aDefinition({ id: 'whatsapp', maxEvents: 1, isOutcomeUnknown: () => open }) });
const retry: Answer = { kind: 'retry', afterMs: undefined, code: '2', message: 'Service temporarily unavailable', traceId: 'trace' };

async function run(answer: Answer, over = counting()) {
  const job = aJob();
  const { ports, recorded } = recordingPorts(() => answer, over);
  const [fate] = await deliver([job], ports);
  return { fate, recorded };
}

describe('a platform that does not recognise repeats', () => {
  it('notes that a request goes out before it does, and nothing more once it was taken', async () => {
    const { fate, recorded } = await run(accepted());
    expect(fate).toEqual({ kind: 'done' });
    expect(recorded.calls.filter((call) => ['markSending', 'send', 'clearSending', 'settle'].includes(call))).toEqual(['markSending', 'send', 'settle']);
  });

  it('never sends again when the request was written and no answer came', async () => {
    const { fate, recorded } = await run({ kind: 'failed', code: 'timeout', bodySent: true });
    expect(fate).toEqual({ kind: 'done' });
    expect(recorded.deaths()).toMatchObject([{ reason: 'unknown', code: 'outcome_unknown' }]);
    expect(recorded.calls).not.toContain('clearSending');
  });

  it('tries again when the connection failed before the body was sent', async () => {
    const { fate, recorded } = await run({ kind: 'failed', code: 'connect_failed', bodySent: false });
    expect(fate).toMatchObject({ kind: 'retry' });
    expect(recorded.deaths()).toEqual([]);
    expect(recorded.calls).toContain('clearSending');
  });

  it('tries again when the platform says that it took nothing', async () => {
    const { fate, recorded } = await run(retry);
    expect(fate).toMatchObject({ kind: 'retry' });
    expect(recorded.calls).toContain('clearSending');
  });

  it('never sends again after an answer that leaves the end open', async () => {
    const { fate, recorded } = await run(retry, counting(true));
    expect(fate).toEqual({ kind: 'done' });
    expect(recorded.deaths()).toMatchObject([{ reason: 'unknown', traceId: 'trace' }]);
  });

  it('never sends again what a worker had under way when it died', async () => {
    const job = aJob();
    const doubtful = { ...job, load: async () => (await job.load()).map((event) => ({ ...event, maybeSent: true })) };
    const { ports, recorded } = recordingPorts(() => accepted(), counting());
    expect(await deliver([doubtful], ports)).toEqual([{ kind: 'done' }]);
    expect(recorded.requests).toEqual([]);
    expect(recorded.deaths()).toMatchObject([{ reason: 'unknown' }]);
  });

  it('holds on a dead token and may send later', async () => {
    const { fate, recorded } = await run({ kind: 'unauthorised', refreshable: false, code: '190', message: 'dead', traceId: undefined });
    expect(fate).toMatchObject({ kind: 'hold' });
    expect(recorded.calls).toContain('clearSending');
  });

  it('sends nothing when the note cannot be made: the job is another worker\'s by now', async () => {
    const { ports, recorded } = recordingPorts(() => accepted(), { ...counting(), markSending: () => Promise.reject(new Error('another worker has taken it')) });
    await expect(deliver([aJob()], ports)).rejects.toThrow(/another worker/);
    expect(recorded.requests).toEqual([]);
  });

  it('leaves platforms with dedup as they are', async () => {
    const { fate, recorded } = await run({ kind: 'failed', code: 'timeout', bodySent: true }, {} as ReturnType<typeof counting>);
    expect(fate).toMatchObject({ kind: 'retry' });
    expect(recorded.calls).not.toContain('markSending');
  });
});
