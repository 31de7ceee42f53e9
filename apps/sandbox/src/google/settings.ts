import type { SandboxCore } from '../core/types.ts';

/**
 * Every switch of the Google emulator, read once per request. Each stands for something that Google's
 * documents leave open or contradict; README.md lists the reasons.
 */
export interface GoogleSettings {
  readonly pathStyle: 'events.events' | 'events';
  readonly identifierPath: 'identifier' | 'field';
  readonly poisonNamesIndex: boolean;
  readonly acceptSnakeCase: boolean;
  readonly badTimestamp: 'front_end' | 'violation';
  readonly maxEventAgeDays: number;
  readonly maxFutureMinutes: number;
  readonly maxEvents: number;
  readonly requireEventSource: boolean;
  readonly allowSeveralClickIds: boolean;
  readonly accountMismatch: 'violation' | 'forbidden';
  readonly customerTermsSigned: boolean;
  readonly serviceEnabled: boolean;
  readonly fieldWarnings: boolean;
  readonly quotaPerMinute: number;
  readonly retryAfterSeconds: number;
}

export function readSettings(core: SandboxCore): GoogleSettings {
  return {
    // Google's own example doubles the list name; a sister method was seen without the doubling.
    pathStyle: core.switchOf<'events.events' | 'events'>('google.pathStyle', 'events.events'),
    // Not confirmed whether a bad hash names the identifier (as in Google's example) or its field.
    identifierPath: core.switchOf<'identifier' | 'field'>('google.identifierPath', 'identifier'),
    poisonNamesIndex: core.switchOf<boolean>('google.poisonNamesIndex', true),
    // General proto3 JSON behaviour, not stated for this API.
    acceptSnakeCase: core.switchOf<boolean>('google.acceptSnakeCase', true),
    // A proto Timestamp is parsed by the front end, but INVALID_FORMAT exists as a reason too.
    badTimestamp: core.switchOf<'front_end' | 'violation'>('google.badTimestamp', 'front_end'),
    // EVENT_TIME_INVALID exists, but no synchronous limit is published for Google Ads: 0 = off.
    maxEventAgeDays: core.switchOf<number>('google.maxEventAgeDays', 0),
    maxFutureMinutes: core.switchOf<number>('google.maxFutureMinutes', 0),
    // The limits page says 2000, a proto comment says 10,000.
    maxEvents: core.switchOf<number>('google.maxEvents', 2000),
    // Release notes v1.2: required for offline conversions; enforcement was not observed.
    requireEventSource: core.switchOf<boolean>('google.requireEventSource', true),
    // Refused according to a public reading of 2026-10-08 only.
    allowSeveralClickIds: core.switchOf<boolean>('google.allowSeveralClickIds', false),
    // The reason is documented, whether it comes as 400 or 403 is not.
    accountMismatch: core.switchOf<'violation' | 'forbidden'>('google.accountMismatch', 'violation'),
    customerTermsSigned: core.switchOf<boolean>('google.customerTermsSigned', true),
    serviceEnabled: core.switchOf<boolean>('google.serviceEnabled', true),
    // In the discovery document, absent from older protos.
    fieldWarnings: core.switchOf<boolean>('google.fieldWarnings', true),
    // Real limit 300 per minute and project; off so that load tests measure the relay.
    quotaPerMinute: core.switchOf<number>('google.quotaPerMinute', 0),
    // Neither Retry-After nor RetryInfo is confirmed for 429 here: 0 = neither is sent.
    retryAfterSeconds: core.switchOf<number>('google.retryAfterSeconds', 0),
  };
}
