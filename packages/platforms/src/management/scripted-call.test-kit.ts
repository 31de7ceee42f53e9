import type { InboundReply, OutboundRequest, PlatformEndpoints } from '@relay/contract';
import type { CallTraits, ManagementContext } from './context.ts';

export const NOW_MS = Date.UTC(2026, 10, 20, 12, 0, 0);
export const TOKEN = 'token-0123456789';

export const ENDPOINTS: PlatformEndpoints = {
  metaGraphUrl: 'https://graph.test',
  metaGraphVersion: 'v25.0',
  metaAppSecret: undefined,
  googleDataManagerUrl: 'https://datamanager.test',
  googleAdsUrl: 'https://googleads.test',
  googleOauthUrl: 'https://oauth.test/token',
  linkedinApiUrl: 'https://linkedin.test',
  linkedinOauthUrl: 'https://linkedin.test/oauth',
  linkedinVersion: '202609',
};

export interface Scripted {
  readonly status?: number;
  /** Sent as JSON; a text as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export function aReply({ status = 200, body = '', headers = {} }: Scripted): InboundReply {
  return { status, headers, body: typeof body === 'string' ? body : JSON.stringify(body), receivedAtMs: NOW_MS };
}

export interface Seen extends OutboundRequest {
  readonly repeatable: boolean;
}

/** Answers by what `answer` says to `METHOD path?query` and the JSON body. Everything asked is kept in `seen`. */
export function scripted<Credentials>(
  credentials: Credentials,
  answer: (line: string, body: unknown, request: OutboundRequest) => Scripted | Error,
  endpoints: Partial<PlatformEndpoints> = {},
): { readonly ctx: ManagementContext<Credentials>; readonly seen: Seen[]; lines(): readonly string[] } {
  const seen: Seen[] = [];
  const lineOf = (request: OutboundRequest) => `${request.method} ${request.url.replace(/^https:\/\/[^/]+/, '')}`;
  return {
    seen,
    lines: () => seen.map(lineOf),
    ctx: {
      credentials,
      accessToken: TOKEN,
      endpoints: { ...ENDPOINTS, ...endpoints },
      googleAdsVersion: 'v24',
      now: () => NOW_MS,
      call: (request: OutboundRequest, traits: CallTraits) => {
        seen.push({ ...request, repeatable: traits.repeatable });
        const given = answer(lineOf(request), request.body === undefined ? undefined : JSON.parse(request.body), request);
        return given instanceof Error ? Promise.reject(given) : Promise.resolve(aReply(given));
      },
    },
  };
}

/** What was thrown; fails the test if nothing was. */
export async function thrownBy(run: () => Promise<unknown>): Promise<Error> {
  try {
    await run();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('nothing was thrown');
}
