import type { CannedFault, CannedReply } from '../core/types.ts';
import { adsFaultReply } from '../google-ads/faults.ts';
import type { Answer } from './answer.ts';
import { errorAnswer, quotaExceeded } from './error-bodies.ts';

/** Google's words for being down, by variant. 409 and 503 texts are as seen in a production connector. */
const OUTAGES: Readonly<Record<string, Answer>> = {
  '500': errorAnswer({ code: 500, status: 'INTERNAL', message: 'Internal error encountered.' }),
  '503': errorAnswer({ code: 503, status: 'UNAVAILABLE', message: 'The service is currently unavailable.' }),
  '504': errorAnswer({ code: 504, status: 'DEADLINE_EXCEEDED', message: 'Deadline expired before operation could complete.' }),
  aborted: errorAnswer({ code: 409, status: 'ABORTED', message: 'The operation was aborted.' }),
  // The load balancer in front answers in HTML.
  '502': {
    status: 502,
    headers: { 'content-type': 'text/html; charset=UTF-8' },
    body: '<!DOCTYPE html><html lang=en><title>Error 502 (Server Error)!!1</title><p><b>502.</b> <ins>That’s an error.</ins></html>',
  },
};

const QUOTAS: Readonly<Record<string, string>> = {
  per_minute: 'IngestionMutateRequestsPerMinutePerProject',
  per_day: 'IngestionMutateRequestsPerDayPerProject',
  read_per_minute: 'IngestionReadRequestsPerMinutePerProject',
  read_per_day: 'IngestionReadRequestsPerDayPerProject',
};

export function googleFaultReply(fault: CannedFault): CannedReply | undefined {
  // A fault knows no route: the Ads API's answers have variants of their own.
  if (fault.variant?.startsWith('ads_') === true) return adsFaultReply(fault);
  if (fault.kind === 'rate_limit') {
    const limit = QUOTAS[fault.variant ?? 'per_minute'];
    const seconds = fault.options['retryAfterSeconds'];
    return limit === undefined ? undefined : asReply(quotaExceeded(limit, typeof seconds === 'number' ? seconds : 0));
  }
  const outage = OUTAGES[fault.variant ?? '503'];
  return outage && asReply(outage);
}

function asReply({ status, headers, body }: Answer): CannedReply {
  return { status, body, ...(headers ? { headers } : {}) };
}
