import { Queue } from 'bullmq';
import { fastify } from 'fastify';
import { Redis } from 'ioredis';
import { PLATFORMS } from '@relay/platforms';
import type { SendConversions } from '@relay/contract';

/**
 * The least program that could do the job with the same parts: parse, one BullMQ job a request. With FLOOR_HASH=1 it also
 * maps each event to the platform's wire JSON, with its SHA-256 values: the work that nobody can avoid.
 */
const connection = new Redis(process.env['REDIS_URL']!, { maxRetriesPerRequest: null });
const queue = new Queue('floor', { connection });
const hashing = process.env['FLOOR_HASH'] === '1';

const app = fastify({ bodyLimit: 64 * 1024 * 1024 });
app.post('/v1/ads/conversions', async (request, reply) => {
  const { events, destinationId } = request.body as SendConversions;
  await queue.add('send', hashing ? { wires: events.map((event) => wireOf(event, destinationId)) } : { events }, { removeOnComplete: true, removeOnFail: true });
  return reply.code(202).send({ eventsReceived: 0 });
});

function wireOf(event: SendConversions['events'][number], destinationId: string): string {
  const item = PLATFORMS.metaads.toItem(event, { nowMs: Date.now(), destinationId, consent: undefined });
  return item.kind === 'item' ? item.wire : '{}';
}

await app.listen({ port: Number(process.env['PORT']), host: '127.0.0.1' });
console.log('floor.listening');
process.once('SIGTERM', () => {
  void app.close().then(() => queue.close()).then(() => connection.disconnect());
});
