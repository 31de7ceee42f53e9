import type { DeliveryPlatform } from '@relay/contract';
import type { Account } from '@relay/delivery';
import { createGoogleAdjustments, googleAds } from '@relay/platforms';
import { createLogger } from '@relay/runtime';
import { expect, test } from 'vitest';
import { createDeliverPorts, type PortDeps } from './deliver-ports.ts';

const account = { id: 'acc', platform: 'googleads', credentials: { clientId: 'client', developerToken: 'developer' } } as unknown as Account;

/** Ports of two kinds of events of one platform over the same cool-downs. */
function portsOf(...definitions: readonly DeliveryPlatform[]) {
  const ends = new Map<string, number>();
  const cooldowns: PortDeps['store']['cooldowns'] = {
    until: async (scopes) => Math.max(0, ...scopes.map((scope) => ends.get(scope) ?? 0)),
    start: async (scope, untilMs) => void ends.set(scope, untilMs),
    list: async () => ends,
  };
  const logger = createLogger({ level: 'silent', name: 'worker' });
  // What cool-downs need of the rest.
  const deps = { store: { cooldowns }, config: { delivery: {} }, logger } as unknown as PortDeps;
  return definitions.map((definition) => createDeliverPorts({ ...deps, definition }));
}

test.each(['account', 'app'] as const)("a quota of Google's adjustments rests adjustments alone: %s", async (scope) => {
  const [conversions, adjustments] = portsOf(googleAds, createGoogleAdjustments('v24'));
  await adjustments!.coolDown(account, scope, 5_000);
  expect([await adjustments!.coolUntil(account), await conversions!.coolUntil(account)]).toEqual([5_000, 0]);
  await conversions!.coolDown(account, scope, 7_000);
  expect([await adjustments!.coolUntil(account), await conversions!.coolUntil(account)]).toEqual([5_000, 7_000]);
});

test('accounts share the quota of their developer token for adjustments, and of their OAuth client for conversions', async () => {
  const [conversions, adjustments] = portsOf(googleAds, createGoogleAdjustments('v24'));
  const sameDeveloper = { ...account, id: 'other', credentials: { ...account.credentials, clientId: 'another' } } as Account;
  await adjustments!.coolDown(account, 'app', 5_000);
  await conversions!.coolDown(account, 'app', 7_000);
  expect([await adjustments!.coolUntil(sameDeveloper), await conversions!.coolUntil(sameDeveloper)]).toEqual([5_000, 0]);
});
