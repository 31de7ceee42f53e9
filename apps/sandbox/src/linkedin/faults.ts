import type { CannedFault, CannedReply } from '../core/types.ts';
import type { Answer } from './answer.ts';
import { refuse, throttled } from './error-bodies.ts';

/** Rest.li answers 500 in its envelope; 502 to 504 come from the gateway in front of it, in HTML. */
const OUTAGES: Readonly<Record<string, Answer>> = {
  '500': refuse({ status: 500, message: 'Internal Server Error' }),
  '502': gateway(502, 'Bad Gateway'),
  '503': gateway(503, 'Service Unavailable'),
  '504': gateway(504, 'Gateway Time-out'),
};

const SPANS: Readonly<Record<string, 'MINUTE' | 'DAY'>> = { minute: 'MINUTE', day: 'DAY' };

export function linkedinFaultReply(fault: CannedFault): CannedReply | undefined {
  if (fault.kind === 'rate_limit') {
    const span = SPANS[fault.variant ?? 'minute'];
    const seconds = fault.options['retryAfterSeconds'];
    return span && asReply(throttled(span, typeof seconds === 'number' ? seconds : 0));
  }
  const outage = OUTAGES[fault.variant ?? '500'];
  return outage && asReply(outage);
}

function gateway(status: number, title: string): Answer {
  return {
    status,
    headers: { 'content-type': 'text/html' },
    body: `<html><head><title>${status} ${title}</title></head><body><h1>${status} ${title}</h1></body></html>`,
  };
}

function asReply({ status, headers, body }: Answer): CannedReply {
  return { status, body, ...(headers ? { headers } : {}) };
}
