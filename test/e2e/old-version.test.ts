import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRelay, type Relay } from './harness.ts';

let relay: Relay;
beforeAll(async () => {
  relay = await startRelay({ env: { LINKEDIN_VERSION: '202001' } });
});
afterAll(() => relay.stop());

test('api and worker warn at their start of a LinkedIn version that is about to end', () => {
  const warnings = relay.logged('linkedin.version_old');
  expect(new Set(warnings.map(({ name }) => name as string))).toEqual(new Set(['api', 'worker']));
  expect(warnings).toHaveLength(2);
  for (const warning of warnings) expect(warning).toMatchObject({ level: 'warn', linkedinVersion: '202001', ageMonths: expect.any(Number) });
});
