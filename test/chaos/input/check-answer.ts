import { ERROR_CODES } from '@relay/contract';
import type { Answer } from './http-client.ts';

const CODES: Readonly<Record<string, { readonly status: number; readonly type: string }>> = ERROR_CODES;
/** Statuses that are told below HTTP's own layer or by a header, with the code of another. */
const SAME_CODE: Readonly<Record<string, readonly number[]>> = { invalid_request: [400, 408], invalid_header: [400, 431] };
const MEMBERS = new Set(['error', 'type', 'code', 'param', 'platform', 'platformError', 'details']);
/** What only the inside of the process knows. */
const INTERNAL = /node_modules|\bat (?:async )?[\w.<>]+ \(|\.ts:\d|\/src\/|ECONN|ReplyError|TypeError|ZodError|\bFST_|ERR_[A-Z]/;

/** The queue dashboard behind its login: Bull Board's own pages and its own API, whose errors have its own shape. */
const isBoard = (path: string, headers: Answer['headers']): boolean => /^(?:http:\/\/[^/]+)?\/+admin\/queues/.test(path) && headers['www-authenticate'] === undefined;

/** What is wrong with an answer, whatever was asked. With Redis there and the platforms well, a 503 is a fault too. */
export function faultOf({ status, headers, text }: Pick<Answer, 'status' | 'headers' | 'text'>, method = 'GET', path = '/'): string | undefined {
  if (status >= 500 && status !== 501) return `a ${status}`;
  if (headers['x-content-type-options'] !== 'nosniff' && status !== 400 && status !== 408 && status !== 431) return 'no nosniff';
  if (method === 'HEAD' || status < 400) return undefined;
  if (!(headers['content-type'] ?? '').startsWith('application/json')) return `a ${status} of the type ${headers['content-type']}`;
  if (isBoard(path, headers) && text.includes('"ERRORS.')) return INTERNAL.test(text) ? 'something of the inside' : undefined;
  return faultOfError(status, text);
}

function faultOfError(status: number, text: string): string | undefined {
  let body: Record<string, unknown>;
  try {
    body = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return `a ${status} that is no JSON`;
  }
  const { error, type, code } = body;
  if (typeof error !== 'string' || error.trim() === '') return 'an error without a sentence';
  if (status === 401 && type === 'authentication_error' && error !== 'Unauthorized') return 'a 401 that says more than Unauthorized';
  const known = typeof code === 'string' ? CODES[code] : undefined;
  if (known === undefined || typeof code !== 'string') return `an unknown code ${String(code)}`;
  if (known.type !== type) return `the type ${String(type)} for ${code}`;
  if (known.status !== status && SAME_CODE[code]?.includes(status) !== true) return `the status ${status} for ${code}`;
  const foreign = Object.keys(body).filter((name) => !MEMBERS.has(name));
  if (foreign.length > 0) return `the members ${foreign.join(', ')}`;
  if (Array.isArray(body['details']) && body['details'].length > 100) return 'more than 100 details';
  if (INTERNAL.test(text)) return 'something of the inside';
  return undefined;
}
