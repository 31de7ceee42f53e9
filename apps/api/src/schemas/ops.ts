import { z } from 'zod';
import { named } from './registry.ts';

const count = z.number().int().nonnegative();

export const aliveSchema = named('Alive', z.strictObject({ status: z.literal('ok') }));

export const readySchema = named(
  'Ready',
  z.strictObject({
    status: z.literal('ready'),
    redis: z.strictObject({ pingMs: z.number().nonnegative() }),
    platforms: z.array(z.strictObject({ platform: z.string(), pending: count, held: count, oldestEventAgeSeconds: z.number().nonnegative() })).meta({ description: 'Events without a final answer' }),
  }),
);
