import { SEED } from '@relay/sandbox';

/** The bootstrap file of the demo and of `npm start`: one key, and an account on each platform that the sandbox seeds. */
export function bootstrapOf(apiKey: string) {
  const { google, linkedin, meta } = SEED;
  return {
    apiKeys: [{ name: 'demo', key: apiKey, scopes: ['send', 'read', 'manage', 'admin'], accounts: ['*'] }],
    accounts: [
      { id: 'acc_meta', platform: 'metaads', credentials: { accessToken: meta.accessToken } },
      {
        id: 'acc_google',
        platform: 'googleads',
        credentials: {
          clientId: google.clientId,
          clientSecret: google.clientSecret,
          refreshToken: google.refreshToken,
          developerToken: google.developerToken,
          loginCustomerId: google.loginCustomerId,
        },
      },
      { id: 'acc_linkedin', platform: 'linkedinads', credentials: { accessToken: linkedin.accessToken, scopes: ['rw_conversions', 'r_ads'] } },
      {
        id: 'acc_wa',
        platform: 'whatsapp',
        credentials: { accessToken: meta.whatsapp.accessToken },
        metadata: { wabaId: meta.whatsapp.wabaId, phoneNumberId: meta.whatsapp.phoneNumberId },
      },
    ],
  };
}
