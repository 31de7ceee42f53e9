import { z } from 'zod';

const text = z.string().trim().min(1, 'must not be empty');

/** An account's grant. Unknown keys are kept out. */
export const googleCredentials = z.object({
  clientId: text,
  clientSecret: text,
  refreshToken: text,
  /** For the Google Ads API (adjustments, conversion actions); the Data Manager API takes none. */
  developerToken: text.optional(),
  /** The manager account through which access goes; `undefined`: the authorised user has access to the account itself. */
  loginCustomerId: z
    .string()
    .transform((id) => id.replaceAll('-', '').trim())
    .refine((id) => /^\d{10}$/.test(id), 'is a Google Ads customer id: 10 digits, with or without hyphens')
    .optional(),
  /** Of the grant, ISO 8601, where its end is known. */
  expiresAt: z
    .string()
    .refine((date) => !Number.isNaN(Date.parse(date)), 'is an ISO 8601 date')
    .optional(),
});
export type GoogleCredentials = z.infer<typeof googleCredentials>;
