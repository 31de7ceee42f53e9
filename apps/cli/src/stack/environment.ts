import { SEED } from '@relay/sandbox';
import type { StackSecrets } from './secrets.ts';

export interface StackPlaces {
  readonly redisUrl: string;
  readonly sandboxUrl: string;
  readonly bootstrapPath: string;
  readonly shutdownGraceMs: number;
}

/** Both roles, pointed at the sandbox. They see this and nothing of the caller's environment. */
export function relayEnvironment({ redisUrl, sandboxUrl, bootstrapPath, shutdownGraceMs }: StackPlaces, secrets: StackSecrets): Record<string, string> {
  return {
    HOST: '127.0.0.1',
    REDIS_URL: redisUrl,
    RELAY_SECRET_KEY: secrets.secretKey,
    RELAY_BOOTSTRAP: bootstrapPath,
    SHUTDOWN_GRACE_MS: String(shutdownGraceMs),
    META_APP_SECRET: SEED.meta.whatsapp.appSecret,
    META_VERIFY_TOKEN: SEED.meta.whatsapp.verifyToken,
    META_GRAPH_URL: `${sandboxUrl}/meta`,
    GOOGLE_DATA_MANAGER_URL: `${sandboxUrl}/google/datamanager`,
    GOOGLE_ADS_URL: `${sandboxUrl}/google/ads`,
    GOOGLE_OAUTH_URL: `${sandboxUrl}/google/oauth/token`,
    LINKEDIN_API_URL: `${sandboxUrl}/linkedin`,
    LINKEDIN_OAUTH_URL: `${sandboxUrl}/linkedin/oauth/accessToken`,
  };
}
