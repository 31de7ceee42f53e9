/** What exists on the emulated platforms from the start; the demo's bootstrap file and the tests use the same values. */
export const SEED = {
  meta: {
    accessToken: 'sandbox-meta-token',
    pixels: ['1000000000000001', '1000000000000002', '1000000000000003'],
    /** Listed, but takes no events. */
    unavailablePixel: '1000000000000009',
    /** The second account shares a pixel with the first; the third has none. */
    adAccounts: [
      { accountId: '5000000000000001', name: 'Sandbox Shop', pixels: ['1000000000000001', '1000000000000002'] },
      { accountId: '5000000000000002', name: 'Sandbox Leads', pixels: ['1000000000000002', '1000000000000009'] },
      { accountId: '5000000000000003', name: 'Sandbox Empty', pixels: [] },
    ],
    /** The client pixel is reached through no ad account. */
    businesses: [
      { id: '6000000000000001', name: 'Sandbox Business', ownedPixels: ['1000000000000001', '1000000000000002', '1000000000000009'], clientPixels: ['1000000000000003'] },
      { id: '6000000000000002', name: 'Sandbox Second Business', ownedPixels: [], clientPixels: [] },
    ],
    /** One WhatsApp Business Account with one number. It has no dataset at first; ads that lead to it belong to the Page. */
    whatsapp: {
      accessToken: 'sandbox-whatsapp-token',
      /** Signs webhooks. */
      appSecret: 'sandbox-app-secret',
      verifyToken: 'sandbox-verify-token',
      wabaId: '2000000000000001',
      phoneNumberId: '3000000000000001',
      pageId: '4000000000000001',
    },
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
    /** Every customer there is. `direct` ones are what the grant lists; a client of a manager needs its `login-customer-id`. */
    customers: [
      { id: '1112223333', name: 'Sandbox Manager', manager: true, direct: true, enabled: true },
      { id: '1234567890', name: 'Sandbox Shop', managerId: '1112223333', direct: true, enabled: true },
      { id: '2345678901', name: 'Sandbox Second Shop', direct: true, enabled: true },
      { id: '3456789012', name: 'Sandbox Client', managerId: '1112223333', direct: false, enabled: true },
      { id: '4567890123', name: 'Sandbox Closed', direct: true, enabled: false },
    ],
    /** Actions of the other customers: of the second one, and of the manager's client. */
    secondCustomerId: '2345678901',
    secondUploadActions: ['401'],
    clientCustomerId: '3456789012',
    clientUploadActions: ['501'],
    /** Conversions that can be adjusted without having been sent first; `expired` is 60 days old, the others 10. */
    conversions: { upload: ['seed-order-1', 'seed-order-2', 'seed-order-3'], webpage: ['seed-web-1', 'seed-web-2'], gclids: ['seed-gclid-1'], expired: ['seed-order-old'] },
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
    /** Disabled from the start. */
    inactiveRules: ['50004'],
    /**
     * Ad accounts that the seeded member has a role in; a VIEWER may only read. Campaigns are ACTIVE, PAUSED, DRAFT and ARCHIVED in this
     * order; from the start each account's first campaign is associated with its first rule.
     */
    adAccounts: [
      { id: '500000001', name: 'Sandbox Shop', currency: 'EUR', role: 'ACCOUNT_MANAGER', rules: ['50001', '50002', '50003', '50004', '50009'], campaigns: ['700000001', '700000002', '700000003', '700000004'] },
      { id: '500000002', name: 'Sandbox Leads', currency: 'USD', role: 'CAMPAIGN_MANAGER', rules: ['50011', '50012'], campaigns: ['700000011', '700000012'] },
      { id: '500000003', name: 'Sandbox Read Only', currency: 'EUR', role: 'VIEWER', rules: ['50021'], campaigns: ['700000021'] },
    ],
    /** Exists, but the member has no role in it. */
    foreignAdAccountId: '500000099',
  },
} as const;
