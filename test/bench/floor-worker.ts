import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { Agent, request } from 'undici';

/** Posts each job's events on; nothing else. */
const connection = new Redis(process.env['REDIS_URL']!, { maxRetriesPerRequest: null });
const agent = new Agent({ connections: 64 });
const sink = process.env['SINK_URL']!;

const worker = new Worker<{ events?: unknown[]; wires?: string[] }>(
  'floor',
  async ({ data }) => {
    const body = data.wires === undefined ? JSON.stringify({ data: data.events }) : `{"data":[${data.wires.join(',')}]}`;
    const path = data.wires === undefined ? 'floor' : 'hashed';
    const reply = await request(`${sink}/${path}`, { method: 'POST', body, dispatcher: agent, headers: { 'content-type': 'application/json' } });
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
