import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const FIXTURE = fileURLToPath(new URL('./run-process.fixture.ts', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly messages: readonly string[];
}

/** Runs the fixture and sends a signal each time a line with the given message appears. */
async function run(mode: string, signals: Readonly<Record<string, NodeJS.Signals>> = {}, againAfterMs?: number): Promise<Ended> {
  const child = spawn(process.execPath, [FIXTURE, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
  const messages: string[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const { msg } = JSON.parse(line) as { msg: string };
      messages.push(msg);
      const signal = signals[msg];
      if (signal !== undefined) child.kill(signal);
      if (signal !== undefined && againAfterMs !== undefined) setTimeout(() => child.kill(signal), againAfterMs);
    }
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, messages };
}

describe('runProcess', { timeout: 20_000 }, () => {
  it('drains on SIGTERM and closes in reverse order', async () => {
    const ended = await run('plain', { 'process.started': 'SIGTERM' });
    expect(ended.code).toBe(0);
    expect(ended.messages).toEqual(['process.started', 'process.stopping', 'draining', 'closed.last_opened', 'closed.first_opened', 'process.stopped']);
  });

  it('loses no line of a stop on a busy machine', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => run('plain', { 'process.started': 'SIGTERM' })));
    expect(all.map((ended) => ended.messages.length)).toEqual(all.map(() => 6));
  });

  it('closes what was opened when the start fails, and ends with 1', async () => {
    const ended = await run('boot-fails');
    expect(ended.code).toBe(1);
    expect(ended.messages).toEqual(['closed.last_opened', 'closed.first_opened', 'process.failed']);
  });

  it('stops hard once the grace time is over', async () => {
    const ended = await run('hangs', { 'process.started': 'SIGINT' });
    expect(ended.code).toBe(1);
    expect(ended.messages).toContain('process.stop_timed_out');
  });

  it('is killed by a second signal', async () => {
    const ended = await run('hangs-long', { 'process.started': 'SIGTERM' }, 1_300);
    expect(ended.signal).toBe('SIGTERM');
  });

  it('takes a signal that comes twice at once for one', async () => {
    const ended = await run('takes-a-while', { 'process.started': 'SIGINT', 'process.stopping': 'SIGINT' });
    expect(ended).toMatchObject({ code: 0, signal: null });
  });

  it.each([
    ['throws-later', 'process.uncaught_exception'],
    ['rejects-later', 'process.unhandled_rejection'],
  ])('ends with 1 when %s', async (mode, message) => {
    const ended = await run(mode);
    expect(ended.code).toBe(1);
    expect(ended.messages.at(-1)).toBe(message);
  });
});
