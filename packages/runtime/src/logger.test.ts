import { describe, expect, it } from 'vitest';
import { createLogger, describeError } from './logger.ts';

function linesOf(write: (logger: ReturnType<typeof createLogger>) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  write(createLogger({ level: 'info', name: 'api', destination: { write: (line) => lines.push(line) } }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('createLogger', () => {
  it('writes one JSON line with level, name and time', () => {
    const [line] = linesOf((logger) => logger.info({ deliveryId: 'dlv_1', events: 12 }, 'delivery.accepted'));
    expect(line).toMatchObject({ level: 'info', name: 'api', msg: 'delivery.accepted', deliveryId: 'dlv_1', events: 12 });
    expect(line?.['time']).toMatch(/^\d{4}-\d\d-\d\dT/);
  });

  it('redacts what must never be logged, also one level down', () => {
    const text = JSON.stringify(
      linesOf((logger) => logger.warn({ authorization: 'Bearer planted', user: { email: 'planted' }, account: { credentials: { accessToken: 'planted' } }, events: [{ user: 'planted' }] }, 'x')),
    );
    expect(text).not.toContain('planted');
  });

  it('keeps the text of unreadable JSON and foreign fields of errors out', () => {
    let broken: unknown;
    try {
      JSON.parse('{"email":planted');
    } catch (error) {
      broken = error;
    }
    const wrapped = Object.assign(new Error('outer', { cause: broken }), { code: 'ECONNRESET', request: { body: 'planted' } });
    const [line] = linesOf((logger) => logger.error({ err: wrapped }, 'x'));
    expect(JSON.stringify(line)).not.toContain('planted');
    expect(line).toMatchObject({ err: { type: 'Error', message: 'outer', code: 'ECONNRESET', cause: { type: 'SyntaxError' } } });
    expect(describeError('planted')).toEqual({ type: 'string' });
  });
});
