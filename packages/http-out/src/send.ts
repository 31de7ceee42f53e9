import { Agent } from 'undici';
import type { AnyRequest } from '@relay/contract';
import type { Send, SendResult } from '@relay/delivery';
import { ReplyCollector, ReplyTooLarge, type RawReply } from './collect-reply.ts';
import { isGrant, withoutSecrets } from './without-secrets.ts';

export interface SendOptions {
  /** From the first byte sent to the last byte read, ms. */
  readonly timeoutMs: number;
  /** A longer answer is not read to its end: no platform has that much to say, and memory is bounded. */
  readonly maxReplyBytes: number;
  /** Sockets to one host; `null`: as many as there are requests. */
  readonly connections: number | null;
  readonly now: () => number;
}

/**
 * How many requests are under way is decided by who sends them (jobs of a worker, requests per destination). A cap on sockets
 * would make a request wait here for others that hang, and its time run out before a byte of it was sent.
 */
export const DEFAULT_SEND_OPTIONS = { maxReplyBytes: 4 * 1024 * 1024, connections: null } as const;
/** For calls that list: a page of Google's has 10,000 rows, and a conversion action with its tags some kilobytes. */
export const LISTING_SEND_OPTIONS = { ...DEFAULT_SEND_OPTIONS, maxReplyBytes: 32 * 1024 * 1024 } as const;

/**
 * The only way out of the process. One deadline over the whole exchange, a cap on the answer, no redirects (a platform's
 * API has none, and following one would send events and tokens elsewhere), and no retries: those are the queue's.
 */
export function createSend(options: SendOptions): { send: Send; close(): Promise<void> } {
  const agent = new Agent({
    connections: options.connections,
    pipelining: 1,
    // Servers close an idle connection after 5 s and more (Node's default is 5). One that is closed while a request is on its way
    // leaves open whether that was taken, which costs a WhatsApp event its delivery. A server's own hint wins.
    keepAliveTimeout: 4_000,
    connect: { timeout: Math.min(options.timeoutMs, 10_000) },
    // The one deadline below covers these too.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return { send: (request) => exchange(agent, request, options), close: () => agent.close() };
}

async function exchange(agent: Agent, outbound: AnyRequest, options: SendOptions): Promise<SendResult> {
  const startedAt = performance.now();
  const tookMs = () => Math.round(performance.now() - startedAt);
  const collector = new ReplyCollector(options.maxReplyBytes);
  const deadline = setTimeout(() => collector.giveUp(new DeadlinePassed()), options.timeoutMs);
  try {
    const { origin, pathname, search } = new URL(outbound.url);
    const { method, headers, body } = outbound;
    agent.dispatch({ origin, path: pathname + search, method, headers, body: body ?? null }, collector);
    const { status, headers: received, body: text } = await collector.reply;
    const said = isGrant(status, outbound) ? text : withoutSecrets(text, outbound);
    return { kind: 'reply', reply: { status, headers: joined(received), body: said, receivedAtMs: options.now() }, tookMs: tookMs() };
  } catch (error) {
    const said = codeOf(error);
    // What fails before writing began sent nothing, whatever it is called; whatever comes later may have reached the platform.
    const code = collector.hasBegun || NOT_SENT.has(said) ? said : 'connect_failed';
    return { kind: 'failed', code, message: SENTENCES[code], bodySent: !NOT_SENT.has(code), tookMs: tookMs() };
  } finally {
    clearTimeout(deadline);
  }
}

function joined(received: RawReply['headers']): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(received)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}

class DeadlinePassed extends Error {}

/** What can go wrong on the way, as codes for metrics and receipts. */
const SENTENCES = {
  timeout: 'The platform did not answer in time.',
  connect_failed: 'No connection to the platform could be made.',
  dns_failed: "The platform's name could not be resolved.",
  tls_failed: "The platform's certificate could not be verified.",
  connection_reset: 'The connection broke before the platform answered.',
  reply_too_large: 'The answer was larger than any answer of this platform should be.',
  network_error: 'The request failed on the network.',
} as const;
type FailureCode = keyof typeof SENTENCES;

const NOT_SENT: ReadonlySet<FailureCode> = new Set(['connect_failed', 'dns_failed', 'tls_failed']);

const BY_ERROR_CODE: Readonly<Record<string, FailureCode>> = {
  ECONNREFUSED: 'connect_failed',
  EHOSTUNREACH: 'connect_failed',
  ENETUNREACH: 'connect_failed',
  UND_ERR_CONNECT_TIMEOUT: 'connect_failed',
  ENOTFOUND: 'dns_failed',
  EAI_AGAIN: 'dns_failed',
  ECONNRESET: 'connection_reset',
  EPIPE: 'connection_reset',
  UND_ERR_SOCKET: 'connection_reset',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'connection_reset',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
};

function codeOf(error: unknown): FailureCode {
  if (error instanceof ReplyTooLarge) return 'reply_too_large';
  if (error instanceof DeadlinePassed) return 'timeout';
  if (!(error instanceof Error)) return 'network_error';
  const code = (error as NodeJS.ErrnoException).code ?? (error.cause as NodeJS.ErrnoException | undefined)?.code ?? '';
  if (code.startsWith('ERR_TLS') || code.startsWith('CERT_') || code.includes('SELF_SIGNED') || code.startsWith('UNABLE_TO_')) return 'tls_failed';
  return BY_ERROR_CODE[code] ?? 'network_error';
}
