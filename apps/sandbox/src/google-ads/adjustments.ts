import { badRequest, requestFault } from './errors.ts';
import type { AdsFault, AdsRefusal } from './errors.ts';
import { judgeAdjustment } from './judge-adjustment.ts';
import type { JudgeParts, SoundRow } from './judge-adjustment.ts';
import { partialFailure } from './partial-failure.ts';
import type { AdjustmentInput, AdjustmentsRequest } from './shapes.ts';

const MAX_ADJUSTMENTS = 2000;
const FIRST_JOB_ID = 8_000_000_001;

interface UploadParts extends JudgeParts {
  readonly version: string;
  readonly requestId: string;
}

/** `uploadConversionAdjustments`: 200 also when every row failed; a failed row is an empty result. */
export function uploadAdjustments(body: AdjustmentsRequest, parts: UploadParts): AdsRefusal | { readonly body: unknown } {
  const rows = body.conversionAdjustments ?? [];
  if (rows.length === 0) return badRequest(requestFault('REQUIRED_FIELD_MISSING', 'Required field is missing.', [{ fieldName: 'conversion_adjustments' }]));
  if (body.partialFailure !== true) {
    return badRequest({
      category: 'partialFailureError',
      code: 'PARTIAL_FAILURE_MODE_REQUIRED',
      message: 'The partial failure field was false in the request. This method requires this field be set to true.',
      location: [{ fieldName: 'partial_failure' }],
    });
  }
  if (rows.length > MAX_ADJUSTMENTS) {
    const message = `At most ${MAX_ADJUSTMENTS} adjustments can be uploaded in one request.`;
    return badRequest({ category: 'conversionAdjustmentUploadError', code: 'TOO_MANY_ADJUSTMENTS_IN_REQUEST', message });
  }
  const doubled = doubledRows(rows, parts.settings.duplicateRows);
  const faults: AdsFault[] = [];
  const jobId = String(body.jobId ?? FIRST_JOB_ID);
  const results = rows.map((row, index): Record<string, unknown> => {
    const judged = doubled.has(index) ? { fault: doubledFault(row, index) } : judgeAdjustment(row, index, parts);
    if ('fault' in judged) {
      faults.push(judged.fault);
      return {};
    }
    if (body.validateOnly !== true) store(judged, jobId, parts);
    return resultOf(row);
  });
  return {
    body: {
      ...(faults.length > 0 ? { partialFailureError: partialFailure(faults, parts) } : {}),
      ...(body.validateOnly === true ? {} : { results }),
      jobId,
    },
  };
}

const identityOf = ({ conversionAction, adjustmentType, orderId, gclidDateTimePair: pair, adjustmentDateTime }: AdjustmentInput): string =>
  JSON.stringify([conversionAction, adjustmentType, orderId, pair?.gclid, pair?.conversionDateTime, adjustmentType === 'ENHANCEMENT' ? '' : adjustmentDateTime]);

/** Rows that say the same twice; whether the first of them survives is not documented. */
function doubledRows(rows: readonly AdjustmentInput[], which: 'later' | 'all'): ReadonlySet<number> {
  const first = new Map<string, number>();
  const doubled = new Set<number>();
  for (const [index, row] of rows.entries()) {
    const identity = identityOf(row);
    const earlier = first.get(identity);
    if (earlier === undefined) first.set(identity, index);
    else {
      doubled.add(index);
      if (which === 'all') doubled.add(earlier);
    }
  }
  return doubled;
}

function doubledFault(row: AdjustmentInput, index: number): AdsFault {
  const enhancement = row.adjustmentType === 'ENHANCEMENT';
  return {
    category: 'conversionAdjustmentUploadError',
    code: enhancement ? 'DUPLICATE_ENHANCEMENT_IN_REQUEST' : 'DUPLICATE_ADJUSTMENT_IN_REQUEST',
    message: `The request holds this ${enhancement ? 'enhancement' : 'adjustment'} more than once.`,
    ...(row.orderId ? { trigger: row.orderId } : {}),
    location: [{ fieldName: 'conversion_adjustments', index }],
  };
}

function store({ input, key, adjustedAtMs }: SoundRow, jobId: string, { ledger }: UploadParts): void {
  const { conversionAction = '', adjustmentType = '', orderId, gclidDateTimePair: pair, adjustmentDateTime, restatementValue, userIdentifiers = [], userAgent } = input;
  const entry = {
    conversionAction,
    adjustmentType,
    ...(orderId === undefined ? {} : { orderId }),
    ...(pair?.gclid === undefined ? {} : { gclid: pair.gclid }),
    ...(pair?.conversionDateTime === undefined ? {} : { conversionDateTime: pair.conversionDateTime }),
    ...(adjustmentDateTime === undefined ? {} : { adjustmentDateTime }),
    ...(restatementValue === undefined ? {} : { restatementValue }),
    userIdentifiers: userIdentifiers.length,
    ...(userAgent === undefined ? {} : { userAgent }),
    jobId,
  };
  ledger.take(key, entry, adjustedAtMs);
}

function resultOf({ conversionAction, adjustmentType, orderId, gclidDateTimePair, adjustmentDateTime }: AdjustmentInput): Record<string, unknown> {
  return {
    conversionAction,
    adjustmentType,
    ...(orderId === undefined ? {} : { orderId }),
    ...(gclidDateTimePair === undefined ? {} : { gclidDateTimePair }),
    ...(adjustmentDateTime === undefined ? {} : { adjustmentDateTime }),
  };
}
