import { SCOPES } from '@relay/delivery';
import { z } from 'zod';
import { accountIdField } from './account.ts';
import { isoTime, named } from './registry.ts';

const keyFields = {
  id: z.string(),
  name: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  accounts: z.array(z.string()).meta({ description: 'Account ids, or ["*"] for all' }),
  createdAt: isoTime,
  lastUsedAt: isoTime.nullable(),
};
export const apiKeySchema = named('ApiKey', z.strictObject(keyFields));
export const apiKeysSchema = named('ApiKeys', z.strictObject({ apiKeys: z.array(apiKeySchema) }));
export const createdApiKeySchema = named('CreatedApiKey', z.strictObject({ ...keyFields, key: z.string().meta({ description: 'Shown this once' }) }));

const nameField = z.string().min(1).max(200);
const scopesField = z.array(z.enum(SCOPES)).min(1).max(20).transform((scopes) => [...new Set(scopes)]);
const accountsField = z
  .array(z.union([z.literal('*'), accountIdField]))
  .min(1)
  .max(1000)
  .transform((accounts) => (accounts.includes('*') ? ['*'] : [...new Set(accounts)]));

export const createApiKeySchema = z.strictObject({ name: nameField, scopes: scopesField, accounts: accountsField });
export const patchApiKeySchema = z
  .strictObject({ name: nameField.optional(), scopes: scopesField.optional(), accounts: accountsField.optional() })
  .refine((patch) => Object.keys(patch).length > 0, 'must name name, scopes or accounts');
