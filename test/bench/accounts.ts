/** One account a platform, with a destination of its own and credentials that the sink takes. */
export const ACCOUNTS = {
  metaads: { id: 'acc_meta', credentials: { accessToken: 'bench-token' }, destinationId: '1000000000000001' },
  googleads: {
    id: 'acc_google',
    credentials: { clientId: 'bench-client', clientSecret: 'bench-secret', refreshToken: 'bench-refresh-token' },
    destinationId: 'customers/1000000001/conversionActions/1000000001',
  },
  linkedinads: { id: 'acc_linkedin', credentials: { accessToken: 'bench-token' }, destinationId: '1000001' },
} as const;
export type BenchPlatform = keyof typeof ACCOUNTS;
export const PLATFORMS = Object.keys(ACCOUNTS) as BenchPlatform[];
