import type { SandboxCore } from '../core/types.ts';

/**
 * Every switch of the conversion events route, read once per request. Each stands for something that LinkedIn's
 * documents leave open or contradict; README.md lists the reasons.
 */
export interface LinkedinSettings {
  readonly mixedResults: boolean;
  readonly poisonNamesIndex: boolean;
  readonly timeErrorNamesIndex: boolean;
  readonly identifierErrorNamesIndex: boolean;
  readonly singleNamesIndex: boolean;
  readonly rejectUnknownFields: boolean;
  readonly missingMethodStatus: number;
  readonly missingVersionStatus: number;
  readonly requireProtocolVersion: boolean;
  readonly oldestVersion: number;
  readonly newestVersion: number;
  readonly maxEvents: number;
  readonly maxAgeDays: number;
  readonly acceptLegacyIdTypes: boolean;
  readonly quotaPerMinute: number;
  readonly retryAfterSeconds: number;
  readonly partialShape: 'errors' | 'short';
}

export function readSettings(core: SandboxCore): LinkedinSettings {
  return {
    // All-or-nothing is what every source says; only the success body has a status per element.
    mixedResults: core.switchOf<boolean>('linkedin.mixedResults', false),
    poisonNamesIndex: core.switchOf<boolean>('linkedin.poisonNamesIndex', true),
    // Message text and index of the 90-day and the identifier error are not confirmed.
    timeErrorNamesIndex: core.switchOf<boolean>('linkedin.timeErrorNamesIndex', false),
    identifierErrorNamesIndex: core.switchOf<boolean>('linkedin.identifierErrorNamesIndex', false),
    // The text with an index was seen for batches; a single event has none to name.
    singleNamesIndex: core.switchOf<boolean>('linkedin.singleNamesIndex', false),
    // Rest.li can ignore or refuse unknown fields; strict finds more slips of the relay.
    rejectUnknownFields: core.switchOf<boolean>('linkedin.rejectUnknownFields', true),
    // `elements` without X-RestLi-Method: 400 or 422, not confirmed.
    missingMethodStatus: core.switchOf<number>('linkedin.missingMethodStatus', 400),
    // No LinkedIn-Version: 400 or 426, not confirmed.
    missingVersionStatus: core.switchOf<number>('linkedin.missingVersionStatus', 400),
    // Documented as sent with every call; what happens without it is not.
    requireProtocolVersion: core.switchOf<boolean>('linkedin.requireProtocolVersion', true),
    // 202511 sunsets 2026-11-16 on paper; versions move monthly.
    oldestVersion: core.switchOf<number>('linkedin.oldestVersion', 202511),
    newestVersion: core.switchOf<number>('linkedin.newestVersion', 202612),
    maxEvents: core.switchOf<number>('linkedin.maxEvents', 5000),
    maxAgeDays: core.switchOf<number>('linkedin.maxAgeDays', 90),
    // ORACLE_MOAT_ID is gone from the 2026 pages; whether it is refused is not said.
    acceptLegacyIdTypes: core.switchOf<boolean>('linkedin.acceptLegacyIdTypes', false),
    // Real limit 600 per minute and token (older pages: 300); off so that load tests measure the relay.
    quotaPerMinute: core.switchOf<number>('linkedin.quotaPerMinute', 0),
    // Retry-After is not documented: 0 = not sent.
    retryAfterSeconds: core.switchOf<number>('linkedin.retryAfterSeconds', 0),
    // How a half-taken batch would look is on no record: error statuses, or a list that is too short.
    partialShape: core.switchOf<'errors' | 'short'>('linkedin.partialShape', 'errors'),
  };
}
