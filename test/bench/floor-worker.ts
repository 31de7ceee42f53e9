import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { Agent, request } from 'undici';

/** Posts each job's events on; nothing else. */
const connection = new Redis(process.env['REDIS_URL']!, { maxRetriesPerRequest: null });
const agent = new Agent({ connections: 64 });
const url = `${process.env['SINK_URL']}/${process.env['FLOOR_HASH'] === '1' ? 'hashed' : 'floor'}`;

const worker = new Worker<{ events: unknown[] }>(
  'floor',
  async ({ data }) => {
    const body = JSON.stringify({ data: data.events });
    const reply = await request(url, { method: 'POST', body, dispatcher: agent, headers: { 'content-type': 'application/json' } });
    await reply.body.dump();
    if (reply.statusCode !== 200) throw new Error(`sink answered ${reply.statusCode}`);
  },
  { connection, concurrency: 50 },
);
await worker.waitUntilReady();
console.log('floor.consuming');
process.once('SIGTERM', () => {
  void worker.close().then(() => connection.disconnect());
});
