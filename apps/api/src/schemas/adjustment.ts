import { z } from 'zod';
import { named } from './registry.ts';

const countSchema = z.number().int().nonnegative();

const fields = {
  platform: z.literal('googleads'),
  adjustmentsReceived: countSchema.meta({ description: 'Adjustments that Google took' }),
  adjustmentsFailed: countSchema.meta({ description: 'Adjustments that were refused at once, or by Google' }),
  failures: z.array(z.strictObject({ adjustmentIndex: countSchema, message: z.string(), code: z.union([z.string(), z.number()]) })).meta({ description: 'By adjustmentIndex' }),
  traceId: z.string().optional(),
  deliveryId: z.string(),
};

export const adjustedSchema = named('ConversionsAdjusted', z.strictObject({ ...fields, status: z.enum(['delivered', 'partial', 'failed']) }));
export const adjustmentsPendingSchema = named('AdjustmentsPending', z.strictObject({ ...fields, status: z.enum(['queued', 'retrying', 'held']), statusUrl: z.string() }));
