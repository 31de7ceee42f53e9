import type { InboundReply } from '@relay/contract';
import { readEnvelope } from '../meta/index.ts';

/**
 * Whether an answer leaves it open if Meta took the event. Then the same request must not go out again by itself: messaging
 * events are not deduplicated, and a purchase would count twice. (No answer at all is the transport's to judge.)
 *
 * Known: Graph's own error object (it refused, and asks for a retry where one helps); a count of 0 or 1; a status that
 * says that the request was not processed. Open: a 2xx that cannot be read, an impossible count, and the errors of what
 * stands in between, which may come after Meta has taken the request.
 */
export function isOutcomeUnknown(reply: InboundReply): boolean {
  const { error, eventsReceived } = readEnvelope(reply);
  if (error !== undefined) return false;
  if (reply.status >= 200 && reply.status < 300) return eventsReceived !== 0 && eventsReceived !== 1;
  // With a time to come back a server declines on purpose; without, proxies answer 503 for an upstream that broke off, too.
  if (reply.status === 503) return reply.headers['retry-after'] === undefined;
  return reply.status === 408 || reply.status >= 500;
}
