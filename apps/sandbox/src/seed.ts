/** What exists on the emulated platforms from the start; the demo's bootstrap file and the tests use the same values. */
export const SEED = {
  meta: {
    accessToken: 'sandbox-meta-token',
    pixels: ['1000000000000001', '1000000000000002', '1000000000000003'],
  },
  google: {
    clientId: 'sandbox-client.apps.example',
    clientSecret: 'sandbox-google-secret',
    refreshToken: 'sandbox-google-refresh',
    developerToken: 'sandbox-developer-token',
    loginCustomerId: '1112223333',
    customerId: '1234567890',
    /** Ids of UPLOAD_CLICKS actions of the customer, i.e. `customers/1234567890/conversionActions/111`. */
    uploadActions: ['111', '112', '113', '114', '115', '116', '117', '118', '119', '120', '121', '122'],
    /** Ids of WEBPAGE actions of the customer. */
    webpageActions: ['201'],
  },
  linkedin: {
    accessToken: 'sandbox-linkedin-token',
    /** A token whose grant lacks `rw_conversions`. */
    accessTokenWithoutScope: 'sandbox-linkedin-token-no-scope',
    clientId: 'sandbox-linkedin-client',
    clientSecret: 'sandbox-linkedin-secret',
    refreshToken: 'sandbox-linkedin-refresh',
    adAccountId: '500000001',
    rules: ['50001', '50002', '50003'],
    /** Rules of another method, which refuse API events. */
    insightTagRules: ['50009'],
  },
} as const;
