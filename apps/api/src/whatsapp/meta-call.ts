import { RelayError, type InboundReply, type OutboundRequest } from '@relay/contract';
import type { Send } from '@relay/delivery';

/** One call to a platform on behalf of a waiting caller; no answer is an error of its own kind. Never retried here. */
export async function callPlatform(send: Send, request: OutboundRequest, platform: string): Promise<InboundReply> {
  const result = await send(request);
  if (result.kind === 'reply') return result.reply;
  const code = result.code === 'timeout' ? 'platform_timeout' : 'platform_unavailable';
  throw new RelayError(code, `${result.message} Try again later.`, { platform, details: { code: result.code } });
}
