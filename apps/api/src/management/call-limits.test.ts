import { expect, test } from 'vitest';
import { callLimitsOf } from './call-limits.ts';

test.each([
  [30_000, 12_000, 25_000],
  [12_000, 12_000, 25_000],
  [2_000, 2_000, 5_000],
])('PLATFORM_TIMEOUT_MS of %i gives a call %i ms and an operation %i', (platformTimeoutMs, callMs, deadlineMs) => {
  expect(callLimitsOf(platformTimeoutMs)).toMatchObject({ callMs, deadlineMs });
});
