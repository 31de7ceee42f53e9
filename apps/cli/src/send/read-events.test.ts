import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRows, type Row } from './read-events.ts';

async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function rowsOf(content: string | Buffer, size = 7): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of readRows(chunksOf(Buffer.from(content), size))) rows.push(row);
  return rows;
}

describe('readRows', () => {
  it('reads a line an event, wherever the chunks end', async () => {
    const line = fc.record({ eventId: fc.string({ unit: 'grapheme' }), value: fc.double({ noNaN: true, noDefaultInfinity: true }) });
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.integer({ min: 1, max: 40 }), async (events, size) => {
        const rows = await rowsOf(events.map((event) => `${JSON.stringify(event)}\n`).join(''), size);
        expect(rows).toEqual(events.map((event, n) => ({ place: n + 1, value: JSON.parse(JSON.stringify(event)) as unknown })));
      }),
    );
  });

  it('does not break lines at U+2028, which JSON may hold unescaped', async () => {
    expect(await rowsOf('{"a":"x\u2028y"}\n{"a":2}')).toEqual([{ place: 1, value: { a: 'x\u2028y' } }, { place: 2, value: { a: 2 } }]);
  });

  it('takes CRLF, a byte order mark, empty lines and a missing last line end', async () => {
    expect(await rowsOf('\uFEFF{"a":1}\r\n\r\n  \n{"a":2}')).toEqual([{ place: 1, value: { a: 1 } }, { place: 4, value: { a: 2 } }]);
  });

  it('reports a bad line by its number, never by its text', async () => {
    const rows = await rowsOf('{"a":1}\n{"email":"jane@example.com"\n{"a":3}\n');
    expect(rows[1]).toEqual({ place: 2, fault: 'is not JSON' });
    expect(rows).toHaveLength(3);
  });

  it('reports a line that is not UTF-8', async () => {
    const latin1 = Buffer.concat([Buffer.from('{"a":1}\n{"name":"'), Buffer.from([0xe4]), Buffer.from('"}\n')]);
    expect((await rowsOf(latin1))[1]).toEqual({ place: 2, fault: 'is not UTF-8' });
  });

  it.each(['[{"a":1},{"a":2}]', ' \n\t \n [\n{"a":1},\n{"a":2}\n]\n', '\uFEFF[{"a":1},{"a":2}]'])('reads a JSON array: %j', async (content) => {
    expect(await rowsOf(content, 2)).toEqual([{ place: 1, value: { a: 1 } }, { place: 2, value: { a: 2 } }]);
  });

  it('refuses an array that is cut off', async () => {
    await expect(rowsOf('[{"a":1},')).rejects.toThrow(/not valid JSON/);
  });

  it('finds nothing in an empty file', async () => {
    expect(await rowsOf('')).toEqual([]);
    expect(await rowsOf(' \n\n')).toEqual([]);
  });
});
