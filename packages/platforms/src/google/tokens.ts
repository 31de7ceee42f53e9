import type { TokenSource } from '@relay/contract';
import { readTokenReply, refreshForm } from '../http/oauth.ts';
import { OAUTH_ERRORS } from './codes.ts';
import type { GoogleCredentials } from './credentials.ts';

/** https://developers.google.com/identity/protocols/oauth2/web-server#offline. Access tokens last an hour; refresh tokens do not rotate. */
export const tokens: TokenSource<GoogleCredentials> = {
  refreshRequest: (credentials, endpoints) => refreshForm(endpoints.googleOauthUrl, credentials),
  readRefreshReply: (reply) => readTokenReply(reply, OAUTH_ERRORS),
  // Quotas are per Cloud project, which a client id stands for; a project with two clients is held twice, which is harmless.
  appScope: (credentials) => credentials.clientId,
};
