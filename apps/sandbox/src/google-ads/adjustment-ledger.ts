import { ControlInputError } from '../core/parse-fault.ts';

const MAX_ENTRIES = 200_000;
const DEFAULT_LIMIT = 100;

/** One adjustment as it was taken; hashes are counted, not kept. */
export interface AdjustmentEntry {
  readonly conversionAction: string;
  readonly adjustmentType: string;
  readonly orderId?: string;
  readonly gclid?: string;
  readonly conversionDateTime?: string;
  readonly adjustmentDateTime?: string;
  readonly restatementValue?: { readonly adjustedValue?: number; readonly currencyCode?: string };
  readonly userIdentifiers: number;
  readonly userAgent?: string;
  readonly jobId: string;
}

/** What has been done to one conversion so far. */
export interface AdjustmentState {
  retracted: boolean;
  enhanced: boolean;
  readonly restatedAtMs: number[];
}

export interface AdjustmentLedger {
  take(key: string, entry: AdjustmentEntry, adjustedAtMs: number): void;
  stateOf(key: string): Readonly<AdjustmentState>;
  /** The body of `GET /_control/adjustments`, newest last. */
  read(query: Readonly<Record<string, string | undefined>>): { readonly total: number; readonly adjustments: readonly AdjustmentEntry[] };
  reset(): void;
}

const FRESH: Readonly<AdjustmentState> = { retracted: false, enhanced: false, restatedAtMs: [] };

export function createAdjustmentLedger(): AdjustmentLedger {
  let entries: AdjustmentEntry[] = [];
  const states = new Map<string, AdjustmentState>();

  return {
    take(key, entry, adjustedAtMs) {
      entries.push(entry);
      if (entries.length > MAX_ENTRIES) entries = entries.slice(MAX_ENTRIES / 2);
      const state = states.get(key) ?? { retracted: false, enhanced: false, restatedAtMs: [] };
      if (entry.adjustmentType === 'RETRACTION') state.retracted = true;
      else if (entry.adjustmentType === 'ENHANCEMENT') state.enhanced = true;
      else state.restatedAtMs.push(adjustedAtMs);
      states.set(key, state);
    },
    stateOf: (key) => states.get(key) ?? FRESH,
    read({ conversionAction, orderId, adjustmentType, limit = String(DEFAULT_LIMIT) }) {
      if (!/^\d+$/.test(limit)) throw new ControlInputError('limit must be an integer >= 0');
      const matching = entries.filter(
        (entry) =>
          (conversionAction === undefined || entry.conversionAction === conversionAction) &&
          (orderId === undefined || entry.orderId === orderId) &&
          (adjustmentType === undefined || entry.adjustmentType === adjustmentType),
      );
      return { total: matching.length, adjustments: matching.slice(0, Number(limit)) };
    },
    reset() {
      entries = [];
      states.clear();
    },
  };
}
