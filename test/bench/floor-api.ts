import { Queue } from 'bullmq';
import { fastify } from 'fastify';
import { Redis } from 'ioredis';
import type { SendConversions } from '@relay/contract';
import { plainWire } from './plain-wire.ts';

/**
 * The least program that could do the job with the same parts: parse, one BullMQ job a request. With FLOOR_HASH=1 it also
 * maps each event to the platform's wire JSON, with its SHA-256 values: the work that nobody can avoid.
 */
const connection = new Redis(process.env['REDIS_URL']!, { maxRetriesPerRequest: null });
const queue = new Queue('floor', { connection });
const hashing = process.env['FLOOR_HASH'] === '1';

const app = fastify({ bodyLimit: 64 * 1024 * 1024 });
app.post('/v1/ads/conversions', async (request, reply) => {
  const { events } = request.body as SendConversions;
  await queue.add('send', { events: hashing ? events.map(plainWire) : events }, { removeOnComplete: true, removeOnFail: true });
  return reply.code(202).send({ eventsReceived: 0 });
});

await app.listen({ port: Number(process.env['PORT']), host: '127.0.0.1' });
console.log('floor.listening');
process.once('SIGTERM', () => {
  void app.close().then(() => queue.close()).then(() => connection.disconnect());
});
