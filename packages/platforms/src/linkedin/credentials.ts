import type { GrantFault } from '@relay/contract';
import { z } from 'zod';

const text = z.string().trim().min(1, 'must not be empty');

/** A list, or as OAuth answers have it: one text with blanks (or LinkedIn's commas) between. */
const scopes = z
  .union([z.array(z.string()), z.string()])
  .transform((given) => (typeof given === 'string' ? given.split(/[\s,]+/) : given.map((scope) => scope.trim())).filter((scope) => scope !== ''));

/** An account's grant. Unknown keys are kept out. */
export const linkedinCredentials = z.object({
  accessToken: text,
  /** `undefined`: not known, as with tokens from Campaign Manager, which have no OAuth scopes. */
  scopes: scopes.optional(),
  clientId: text.optional(),
  clientSecret: text.optional(),
  /** Only approved marketing partners get one; it ends 365 days after the first consent. */
  refreshToken: text.optional(),
  /** Of the access token, ISO 8601. */
  expiresAt: z
    .string()
    .refine((date) => !Number.isNaN(Date.parse(date)), 'is an ISO 8601 date')
    .optional(),
});
export type LinkedinCredentials = z.infer<typeof linkedinCredentials>;

/** The Conversions API is a product of its own at LinkedIn; grants from before it was approved lack its scope. */
const NEEDED_SCOPE = 'rw_conversions';

export function checkGrant({ scopes: granted }: LinkedinCredentials): GrantFault | undefined {
  // An empty list is what a client stores that never learnt the scopes; LinkedIn itself has the last word then.
  if (granted === undefined || granted.length === 0 || granted.includes(NEEDED_SCOPE)) return undefined;
  return {
    code: 'grant_insufficient',
    message: `The LinkedIn grant of this account lacks the scope ${NEEDED_SCOPE}. Reconnect the account with that permission and store the new credentials.`,
  };
}
