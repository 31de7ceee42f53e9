import { ApiError, UnreachableError, UsageError } from './faults.ts';
import { asRecord } from './json.ts';

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Begins with a slash. */
  readonly path: string;
  /** Undefined members are left out. */
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** Sent as JSON; a string is sent as it is and must be JSON already. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** From the call to the last byte of the answer; default 30 s. */
  readonly timeoutMs?: number;
}

export interface Answer {
  readonly status: number;
  /** Undefined for an empty body. */
  readonly body: unknown;
}

export interface RelayClient {
  readonly baseUrl: string;
  /** Rejects with `ApiError` for every answer that is not 2xx, with `UnreachableError` when none came. */
  call(call: Call): Promise<Answer>;
}

export interface ClientOptions {
  readonly baseUrl: string;
  /** Undefined: calls go out without a key, which only the health routes allow. */
  readonly apiKey: string | undefined;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const SHOWN_BODY_CHARS = 200;

export function createClient({ baseUrl, apiKey }: ClientOptions): RelayClient {
  const base = parseBaseUrl(baseUrl);
  return {
    baseUrl: base,
    async call(call) {
      const timeoutMs = call.timeoutMs ?? DEFAULT_TIMEOUT_MS;
      const { response, text } = await exchange(base, apiKey, call, timeoutMs);
      const body = parseBody(text);
      if (response.ok) return { status: response.status, body };
      throw new ApiError(sentenceOf(response.status, body), {
        status: response.status,
        body,
        retryAfterMs: retryAfterMs(response.headers.get('retry-after'), Date.now()),
      });
    },
  };
}

async function exchange(base: string, apiKey: string | undefined, call: Call, timeoutMs: number) {
  const init: RequestInit = {
    method: call.method ?? 'GET',
    headers: {
      accept: 'application/json',
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...call.headers,
    },
    redirect: 'manual', // The key must not follow a redirect to somewhere else.
    signal: AbortSignal.timeout(timeoutMs),
    ...(call.body === undefined ? {} : { body: typeof call.body === 'string' ? call.body : JSON.stringify(call.body) }),
  };
  try {
    const response = await fetch(`${base}${call.path}${queryOf(call.query)}`, init);
    return { response, text: await response.text() };
  } catch (cause) {
    throw new UnreachableError(whyNoAnswer(base, cause, timeoutMs), { cause });
  }
}

function parseBaseUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`RELAY_URL is not an http(s) address: ${text}`);
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function queryOf(query: Call['query']): string {
  const given = Object.entries(query ?? {}).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)] as [string, string]]));
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}

function parseBody(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text; // A proxy's HTML, say: shown in part by the error.
  }
}

/** The relay's own sentence; for others' answers (a proxy's) the status and the beginning of what they said. */
export function sentenceOf(status: number, body: unknown): string {
  const { error } = asRecord(body);
  if (typeof error === 'string' && error !== '') return error;
  const said = typeof body === 'string' ? body.replaceAll(/\s+/g, ' ').trim().slice(0, SHOWN_BODY_CHARS) : '';
  return `HTTP ${status}${said === '' ? '' : `: ${said}`}`;
}

function whyNoAnswer(base: string, cause: unknown, timeoutMs: number): string {
  if (cause instanceof Error && cause.name === 'TimeoutError') return `no answer from the relay at ${base} within ${timeoutMs / 1000} s`;
  // fetch says "fetch failed" and keeps the reason in its cause.
  const reason = asRecord(cause instanceof Error ? cause.cause : undefined);
  const why = typeof reason['code'] === 'string' ? reason['code'] : cause instanceof Error ? cause.message : String(cause);
  return `cannot reach the relay at ${base} (${why}): is it running, and is RELAY_URL right?`;
}

/** `Retry-After` as ms: seconds or an HTTP date. Undefined: absent or neither. */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null || header.trim() === '') return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}
