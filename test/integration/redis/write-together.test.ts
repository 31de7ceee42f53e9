import { freshDatabase } from '@relay/testkit';
import { createConnector } from '@relay/redis';
import { expect, inject, test } from 'vitest';

test('commands of one turn leave in one write, and are answered in their order', async () => {
  const connection = createConnector(await freshDatabase(inject('redisUrl'))).open('consumer');
  try {
    await connection.ping();
    const socket = (connection as unknown as { stream: { _writev: unknown; _write: unknown } }).stream;
    let writes = 0;
    for (const name of ['_write', '_writev'] as const) {
      const write = (socket[name] as (...args: unknown[]) => void).bind(socket);
      socket[name] = (...args: unknown[]) => {
        writes += 1;
        write(...args);
      };
    }
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => connection.incrby('n', i)));
    expect(answers).toEqual(Array.from({ length: 50 }, (_, i) => (i * (i + 1)) / 2));
    expect(writes).toBe(1);
    await connection.incr('n');
    expect(writes).toBe(2);
  } finally {
    connection.disconnect();
  }
});
