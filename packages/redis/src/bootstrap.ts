import { z } from 'zod';
import { PLATFORM_IDS, type DeliveryPlatform, type PlatformId } from '@relay/contract';
import { SCOPES } from '@relay/delivery';
import { typedSecretFault } from '@relay/runtime';
import type { SharedStore } from './open-store.ts';

const KEY_CHARACTERS = 8;
const EXAMPLE_KEY = 'rk_live_at-least-16-characters';

/** The file behind `RELAY_BOOTSTRAP`: keys and accounts that a deployment starts with. */
export const bootstrapSchema = z.object({
  apiKeys: z
    .array(
      z.object({
        name: z.string().min(1),
        key: z.string().min(KEY_CHARACTERS, `must have at least ${KEY_CHARACTERS} characters; make one with: openssl rand -base64 24`).superRefine((key, context) => {
          const fault = key === EXAMPLE_KEY ? 'is the example of the README' : typedSecretFault(key);
          if (fault !== undefined) context.addIssue({ code: 'custom', message: `${fault}; make one with: openssl rand -base64 24` });
        }),
        scopes: z.array(z.enum(SCOPES)).min(1),
        accounts: z.array(z.string().min(1)).min(1),
      }),
    )
    .default([]),
  accounts: z
    .array(
      z.object({
        // Account ids stand in Redis keys; the admin API takes the same.
        id: z.string().max(512).regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'must be letters, digits, dots, dashes and underscores, starting with a letter or digit'),
        platform: z.enum(PLATFORM_IDS),
        credentials: z.record(z.string(), z.unknown()),
        metadata: z.record(z.string(), z.unknown()).default({}),
      }),
    )
    .default([]),
});
export type Bootstrap = z.infer<typeof bootstrapSchema>;

/** Platforms whose credentials can be checked; the others are taken as they are. */
export type Definitions = Readonly<Partial<Record<PlatformId, DeliveryPlatform>>>;

/**
 * Applies a bootstrap file, idempotently: what is there and the same stays untouched (also an account's status); an
 * account whose credentials differ from the file's gets the file's, as a PATCH would.
 * @throws Error naming every fault; nothing is applied then.
 */
export async function applyBootstrap(raw: unknown, store: Pick<SharedStore, 'accounts' | 'apiKeys'>, definitions: Definitions): Promise<void> {
  const parsed = bootstrapSchema.safeParse(raw);
  if (!parsed.success) throw new Error(`RELAY_BOOTSTRAP: ${z.prettifyError(parsed.error)}`);
  const accounts = parsed.data.accounts.map((account) => {
    const definition = definitions[account.platform];
    if (definition === undefined) return account;
    const credentials = definition.credentials.safeParse(account.credentials);
    if (!credentials.success) throw new Error(`RELAY_BOOTSTRAP: credentials of account "${account.id}": ${z.prettifyError(credentials.error)}`);
    return { ...account, credentials: credentials.data as Record<string, unknown> };
  });
  for (const { key, ...apiKey } of parsed.data.apiKeys) await store.apiKeys.ensure(key, apiKey);
  for (const account of accounts) {
    if ((await store.accounts.create(account)) !== undefined) continue;
    const existing = await store.accounts.get(account.id);
    if (existing === undefined || existing.platform !== account.platform) {
      throw new Error(`RELAY_BOOTSTRAP: account "${account.id}" exists for another platform (${existing?.platform}).`);
    }
    const sameCredentials = sameValue(withoutRotated(existing.credentials), withoutRotated(account.credentials));
    const missing = Object.entries(account.metadata).some(([key, value]) => !sameValue(existing.metadata[key], value));
    if (sameCredentials && !missing) continue;
    await store.accounts.patch(account.id, {
      ...(!sameCredentials && { credentials: account.credentials }),
      ...(missing && { metadata: account.metadata }),
    });
  }
}

/** A platform may have rotated the refresh token since; that is no change of the file's. */
function withoutRotated({ refreshToken: _rotated, ...rest }: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return rest;
}

function sameValue(a: unknown, b: unknown): boolean {
  return stable(a) === stable(b);
}
function stable(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
