import type { CannedFault, CannedReply } from '../core/types.ts';
import { errorBody, newTraceId } from './errors.ts';
import type { Refusal } from './errors.ts';

interface Canned extends Omit<Refusal, 'status' | 'type'> {
  readonly status?: number;
  readonly headers?: (options: CannedFault['options']) => Readonly<Record<string, string>>;
}

function minutesOf(options: CannedFault['options'], byDefault: number): number {
  const minutes = options['regainMinutes'];
  return typeof minutes === 'number' ? minutes : byDefault;
}

const json = (value: unknown) => JSON.stringify(value);

/** Percentages: 100 means throttled. */
const appUsage = () => ({ 'x-app-usage': json({ call_count: 100, total_cputime: 25, total_time: 31 }) });

/** The unit trap: `estimated_time_to_regain_access` is in minutes. */
const businessUsage = (type: string) => (options: CannedFault['options']) => ({
  'x-business-use-case-usage': json({
    '900000000000001': [
      { type, call_count: 100, total_cputime: 25, total_time: 31, estimated_time_to_regain_access: minutesOf(options, 1), ads_api_access_tier: 'standard_access' },
    ],
  }),
});

/** The other unit trap: `reset_time_duration` is in seconds. */
const accountUsage = (options: CannedFault['options']) => ({
  'x-ad-account-usage': json({
    acc_id_util_pct: 100,
    reset_time_duration: typeof options['resetSeconds'] === 'number' ? options['resetSeconds'] : 60,
    ads_api_access_tier: 'standard_access',
  }),
});

const RATE_LIMITS: Readonly<Record<string, Canned>> = {
  '4': { code: 4, message: '(#4) Application request limit reached', transient: true, headers: appUsage },
  '17': { code: 17, subcode: 2446079, message: '(#17) User request limit reached', transient: false, headers: accountUsage },
  '32': { code: 32, message: '(#32) Page request limit reached', transient: false, headers: businessUsage('pages') },
  '341': { code: 341, message: '(#341) Application limit reached', transient: true, headers: appUsage },
  '613': { code: 613, subcode: 1487742, message: '(#613) Calls to this api have exceeded the rate limit.', transient: false, headers: accountUsage },
  '80004': {
    code: 80004,
    subcode: 2446079,
    message: '(#80004) There have been too many calls to this ad-account. Wait a bit and try again.',
    transient: false,
    headers: businessUsage('ads_management'),
  },
  '80008': {
    code: 80008,
    message: '(#80008) There have been too many calls to this WhatsApp Business account. Wait a bit and try again.',
    transient: false,
    headers: businessUsage('ads_management'),
  },
  '429': { status: 429, code: 4, message: '(#4) Application request limit reached', transient: true, headers: appUsage },
};

const OUTAGES: Readonly<Record<string, Canned>> = {
  '1': { status: 500, code: 1, message: 'An unknown error occurred', transient: true },
  '2': { status: 500, code: 2, message: 'An unexpected error has occurred. Please retry your request later.', transient: true },
  '5000': { status: 500, code: 5000, message: 'Unknown error code', transient: false },
  '21009': { status: 400, code: 21009, message: 'Data set upload temporarily not ready', transient: true },
};

/** Throttles mostly come as HTTP 400, outages as 500; `httpStatus` overrides, as Meta's status is no promise. */
export function metaFaultReply({ kind, variant, options }: CannedFault): CannedReply | undefined {
  const canned = kind === 'rate_limit' ? RATE_LIMITS[variant ?? '4'] : OUTAGES[variant ?? '2'];
  if (canned === undefined) return undefined;
  const { headers, ...refusal } = canned;
  const status = typeof options['httpStatus'] === 'number' ? options['httpStatus'] : (canned.status ?? 400);
  const traceId = newTraceId();
  return {
    status,
    headers: { 'x-fb-trace-id': traceId, ...headers?.(options) },
    body: errorBody({ ...refusal, status, type: 'OAuthException' }, traceId),
  };
}
