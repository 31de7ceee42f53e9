import { PLATFORM_IDS } from '@relay/contract';
import { ACCOUNT_STATUSES } from '@relay/delivery';
import { z } from 'zod';
import { isoTime, named } from './registry.ts';

/** No colon or brace: ids stand in storage keys. */
export const accountIdField = z
  .string()
  .max(128)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'must be letters, digits, dots, dashes and underscores, starting with a letter or digit');

const freeObject = z.record(z.string().max(256), z.unknown());

const accountFields = {
  id: z.string(),
  platform: z.enum(PLATFORM_IDS),
  metadata: freeObject,
  status: z.enum(ACCOUNT_STATUSES),
  statusReason: z.string().optional().meta({ description: 'Why it needs a reconnect' }),
  heldEvents: z.number().int().nonnegative(),
  createdAt: isoTime,
  updatedAt: isoTime,
};
export const accountSchema = named('Account', z.strictObject(accountFields));
export const accountsSchema = named('Accounts', z.strictObject({ accounts: z.array(accountSchema) }));
export const patchedAccountSchema = named(
  'PatchedAccount',
  z.strictObject({ ...accountFields, releasedEvents: z.number().int().nonnegative().meta({ description: 'Held events that go out again' }) }),
);

export const createAccountSchema = z.strictObject({
  id: accountIdField.optional().meta({ description: 'Made up where it is left out' }),
  platform: z.enum(PLATFORM_IDS),
  credentials: freeObject.meta({ writeOnly: true }),
  metadata: freeObject.default({}),
});
export const patchAccountSchema = z
  .strictObject({
    credentials: freeObject.optional().meta({ writeOnly: true, description: 'Replaces all of them, and releases what was held' }),
    metadata: freeObject.optional().meta({ description: 'Merged key by key; null removes a key' }),
    status: z.enum(['active', 'disabled']).optional(),
  })
  .refine((patch) => Object.keys(patch).length > 0, 'must name credentials, metadata or status');
