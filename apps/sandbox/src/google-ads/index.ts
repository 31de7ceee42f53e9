import type { SandboxCore } from '../core/types.ts';
import type { ActionStore } from '../google/actions.ts';
import type { Answer, RawRequest } from '../google/answer.ts';
import type { ConversionStore } from '../google/conversions.ts';
import { CUSTOMERS } from '../google/customers.ts';
import { errorAnswer, frontEndError } from '../google/error-bodies.ts';
import { checkShape } from '../google/json-shape.ts';
import type { MessageSpec } from '../google/json-shape.ts';
import type { TokenStore } from '../google/tokens.ts';
import type { AdjustmentLedger } from './adjustment-ledger.ts';
import { uploadAdjustments } from './adjustments.ts';
import { adsError, newRequestId, versionOf } from './errors.ts';
import type { AdsRefusal } from './errors.ts';
import { callerRefusal, createDailyQuota, customerRefusal } from './gate.ts';
import { mutate } from './mutate.ts';
import { search } from './search.ts';
import { readSettings } from './settings.ts';
import type { AdsSettings } from './settings.ts';
import { adjustmentsSpec, mutateSpec, searchSpec } from './shapes.ts';
import type { AdjustmentsRequest, MutateRequest, SearchRequest } from './shapes.ts';

export interface AdsParts {
  readonly core: SandboxCore;
  readonly tokens: TokenStore;
  readonly actions: ActionStore;
  readonly conversions: ConversionStore;
  readonly ledger: AdjustmentLedger;
}

interface Call {
  readonly customerId: string;
  readonly version: string;
  readonly requestId: string;
  readonly settings: AdsSettings;
}

type Done = AdsRefusal | { readonly body: unknown; readonly status?: number };

interface Method {
  readonly rest: string;
  readonly rpc: string;
  readonly spec: MessageSpec;
  /** What the call costs of the day's operations. */
  readonly cost: (body: unknown) => number;
  readonly run: (body: unknown, call: Call, parts: AdsParts) => Done;
}

const operationsOf = (body: unknown) => Math.max(1, (body as MutateRequest).operations?.length ?? 0);

/** The casts below follow each method's own shape check. */
const METHODS: readonly Method[] = [
  {
    rest: '/googleAds:search',
    rpc: 'google.ads.googleads.services.GoogleAdsService.Search',
    spec: searchSpec,
    cost: () => 1,
    run: (body, { customerId, settings }, { actions }) => search(body as SearchRequest, { customerId, actions, settings }),
  },
  {
    rest: '/conversionActions:mutate',
    rpc: 'google.ads.googleads.services.ConversionActionService.MutateConversionActions',
    spec: mutateSpec,
    cost: operationsOf,
    run: (body, call, { core, actions }) => mutate(body as MutateRequest, { ...call, core, actions }),
  },
  {
    rest: ':uploadConversionAdjustments',
    rpc: 'google.ads.googleads.services.ConversionAdjustmentUploadService.UploadConversionAdjustments',
    spec: adjustmentsSpec,
    cost: () => 1,
    run: (body, call, parts) => uploadAdjustments(body as AdjustmentsRequest, { ...call, ...parts }),
  },
];

const LIST_RPC = 'google.ads.googleads.services.CustomerService.ListAccessibleCustomers';
const notFound = errorAnswer({ code: 404, status: 'NOT_FOUND', message: 'Requested entity was not found.' });

/** The Google Ads API under `/google/ads/v{N}`: accounts, conversion actions, adjustments. */
export function googleAds(parts: AdsParts) {
  const quota = createDailyQuota(parts.core);

  function listCustomers(request: RawRequest, version: string, settings: AdsSettings): Answer {
    // `login-customer-id` is ignored here, right or wrong.
    const refusal = callerRefusal(request, settings, { tokens: parts.tokens, version, method: LIST_RPC });
    if (refusal !== undefined) return refusal;
    const listed = CUSTOMERS.filter(({ direct, enabled }) => direct && (enabled || settings.listClosedCustomers));
    return { status: 200, headers: { 'request-id': newRequestId() }, body: { resourceNames: listed.map(({ id }) => `customers/${id}`) } };
  }

  function call(request: RawRequest, method: Method, { version, customerId }: { readonly version: string; readonly customerId: string }): Answer {
    const settings = readSettings(parts.core);
    const refusal = callerRefusal(request, settings, { tokens: parts.tokens, version, method: method.rpc });
    if (refusal !== undefined) return refusal;
    const body = parseJson(request.raw);
    if (body === undefined) return frontEndError([{ field: '', description: 'Invalid JSON payload received. Unexpected end of string.\n\n^' }]);
    const protoPackage = `google.ads.googleads.${version}`;
    const faults = checkShape(body.value, method.spec, { acceptSnakeCase: true, parseTimestamps: false, protoPackage });
    if (faults.length > 0) return frontEndError(faults);
    const stranger = customerRefusal(request, customerId) ?? quota.take(method.cost(body.value), settings.operationsPerDay);
    if (stranger !== undefined) return adsError(stranger, version);
    const requestId = newRequestId();
    const done = method.run(body.value, { customerId, version, requestId, settings }, parts);
    if ('faults' in done) return adsError(done, version);
    return { status: done.status ?? 200, headers: { 'request-id': requestId }, body: done.body };
  }

  function handle(request: RawRequest): Answer {
    const path = request.path.replaceAll(/%3a/gi, ':'); // a colon may come encoded
    const version = versionOf(path);
    const rest = path.replace(/^\/google\/ads\/v\d+\//, '/');
    if (request.method === 'GET' && rest === '/customers:listAccessibleCustomers') {
      return { ...listCustomers(request, version, readSettings(parts.core)), route: '/google/ads/:version/customers:listAccessibleCustomers' };
    }
    const [, customerId, tail] = /^\/customers\/([^/:]+)([/:].+)$/.exec(rest) ?? [];
    const method = METHODS.find((candidate) => candidate.rest === tail);
    if (request.method !== 'POST' || method === undefined || customerId === undefined) return notFound;
    return { ...call(request, method, { version, customerId }), route: `/google/ads/:version/customers/:customerId${method.rest}` };
  }

  return { handle, reset: () => quota.reset() };
}

function parseJson(raw: Buffer): { readonly value: unknown } | undefined {
  try {
    const text = raw.toString('utf8');
    return { value: text === '' ? {} : JSON.parse(text) };
  } catch {
    return undefined; // answered in Google's words by the caller
  }
}
