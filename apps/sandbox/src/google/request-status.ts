import type { SandboxCore } from '../core/types.ts';
import type { Answer, RawRequest } from './answer.ts';
import { invalidArgument, quotaExceeded, serviceDisabled } from './error-bodies.ts';
import type { MinuteQuota } from './quota.ts';
import type { DestinationInput } from './request-shape.ts';
import { readSettings } from './settings.ts';
import type { TokenStore } from './tokens.ts';

/** Older requests are forgotten, so that a load test of days does not fill the memory. */
const MAX_REMEMBERED = 20_000;
const METHOD = 'google.ads.datamanager.v1.IngestionService.RetrieveRequestStatus';

export interface StatusStore {
  remember(requestId: string, destinations: readonly DestinationCount[]): void;
  /** Counts the look; `undefined` for an id never given out (or forgotten). */
  look(requestId: string): { readonly looks: number; readonly destinations: readonly DestinationCount[] } | undefined;
  reset(): void;
}

export interface DestinationCount {
  readonly destination: DestinationInput;
  readonly events: number;
}

export function createStatusStore(): StatusStore {
  const requests = new Map<string, { looks: number; destinations: readonly DestinationCount[] }>();
  return {
    remember(requestId, destinations) {
      requests.set(requestId, { looks: 0, destinations });
      if (requests.size <= MAX_REMEMBERED) return;
      for (const oldest of requests.keys()) {
        requests.delete(oldest);
        break;
      }
    },
    look(requestId) {
      const entry = requests.get(requestId);
      if (entry) entry.looks += 1;
      return entry;
    },
    reset: () => requests.clear(),
  };
}

interface Parts {
  readonly core: SandboxCore;
  readonly tokens: TokenStore;
  readonly quota: MinuteQuota;
  readonly statuses: StatusStore;
}

/** `GET /v1/requestStatus:retrieve`: counts only, it never says which event. */
export function retrieveStatus({ core, tokens, quota, statuses }: Parts) {
  return (request: RawRequest): Answer => {
    const settings = readSettings(core);
    const caller = tokens.authorise(request.headers.authorization, METHOD);
    if ('refusal' in caller) return caller.refusal;
    if (!settings.serviceEnabled) return serviceDisabled();
    if (!quota.take(`read ${caller.clientId}`, settings.quotaPerMinute)) {
      return quotaExceeded('IngestionReadRequestsPerMinutePerProject', settings.retryAfterSeconds);
    }
    const requestId = request.query['requestId'];
    const entry = typeof requestId === 'string' ? statuses.look(requestId) : undefined;
    if (entry === undefined) {
      return invalidArgument([{ field: 'request_id', description: 'The request ID is invalid.', reason: 'INVALID_REQUEST_ID' }]);
    }
    const processing = entry.looks <= core.switchOf<number>('google.statusProcessingPolls', 1);
    const requestStatusPerDestination = entry.destinations.map((count) =>
      processing ? { destination: count.destination, requestStatus: 'PROCESSING' } : outcomeOf(count, core),
    );
    return { status: 200, body: { requestStatusPerDestination } };
  };
}

function outcomeOf({ destination, events }: DestinationCount, core: SandboxCore) {
  const wanted = core.switchOf<'success' | 'partial' | 'failed'>('google.statusOutcome', 'success');
  const failed = wanted === 'success' ? 0 : wanted === 'failed' ? events : Math.ceil(events / 2);
  const requestStatus = failed === 0 ? 'SUCCESS' : failed === events ? 'FAILED' : 'PARTIAL_SUCCESS';
  const reason = core.switchOf<string>('google.statusErrorReason', 'PROCESSING_ERROR_REASON_INVALID_GCLID');
  return {
    destination,
    requestStatus,
    ...(failed > 0 ? { errorInfo: { errorCounts: [{ recordCount: String(failed), reason }] } } : {}),
    // All events of the request, failed ones included.
    eventsIngestionStatus: { recordCount: String(events) },
  };
}
