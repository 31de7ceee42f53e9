import type { TokenSource } from '@relay/contract';
import { readTokenReply, refreshForm } from '../http/oauth.ts';
import { OAUTH_ERRORS } from './codes.ts';
import type { LinkedinCredentials } from './credentials.ts';

/** https://learn.microsoft.com/en-us/linkedin/shared/authentication/programmatic-refresh-tokens: what comes back is stored, a new refresh token too. */
export const tokens: TokenSource<LinkedinCredentials> = {
  refreshRequest({ clientId, clientSecret, refreshToken }, endpoints) {
    if (clientId === undefined || clientSecret === undefined || refreshToken === undefined) return undefined;
    return refreshForm(endpoints.linkedinOauthUrl, { clientId, clientSecret, refreshToken });
  },
  readRefreshReply: (reply) => readTokenReply(reply, OAUTH_ERRORS),
  appScope: (credentials) => credentials.clientId,
};
