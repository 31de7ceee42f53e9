import { RelayError, type ErrorCode } from '@relay/contract';
import { LocalRuleError, PlatformCallError, type PlatformCallKind } from '@relay/platforms';

const CODES: Readonly<Record<PlatformCallKind, ErrorCode>> = {
  invalid: 'platform_refused',
  not_found: 'destination_not_found',
  conflict: 'conflict',
  unauthorised: 'reconnect_required',
  permission: 'platform_forbidden',
  rate_limited: 'platform_rate_limited',
  unavailable: 'platform_unavailable',
  config: 'platform_config',
};

/** A refusal of a platform, or one of ours in its place, in the words of the API. Anything else stays as it is. */
export function toAnswer(error: unknown, platform: string): unknown {
  if (error instanceof LocalRuleError) {
    return new RelayError(error.code, error.message, { param: error.param, platform, details: [{ path: error.param, message: error.message }] });
  }
  return error instanceof PlatformCallError ? ofPlatform(error) : error;
}

function ofPlatform(error: PlatformCallError): RelayError {
  const { kind, code, platform, platformError, traceId, retryAfterSeconds, quotaExhausted, quotaScope } = error;
  return new RelayError(code === 'IDEMPOTENCY_CONFLICT' ? code : CODES[kind], error.message, {
    platform,
    platformError,
    details: {
      code,
      ...(traceId !== undefined && { traceId }),
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
      ...(quotaExhausted !== undefined && { quotaExhausted }),
      ...(quotaScope !== undefined && { quotaScope }),
    },
    retryAfterSeconds,
    cause: error,
  });
}

/** May pass by itself, so that an earlier answer is better than none. A refusal is not: whoever lost access must not go on seeing. */
export function mayPass(error: unknown): boolean {
  return error instanceof RelayError && PASSING.has(error.code);
}
const PASSING: ReadonlySet<ErrorCode> = new Set(['platform_rate_limited', 'platform_unavailable', 'platform_timeout', 'rate_limited']);
