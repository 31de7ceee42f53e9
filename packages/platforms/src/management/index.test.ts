import { describe, expect, it } from 'vitest';
import { GOOGLE_ADS_VERSION, MANAGEMENT, PLATFORMS } from '../index.ts';

describe('MANAGEMENT', () => {
  it('has every platform, each with a list', () => {
    expect(Object.keys(MANAGEMENT).sort()).toEqual(Object.keys(PLATFORMS).sort());
    expect(Object.values(MANAGEMENT).every(({ listDestinations }) => typeof listDestinations === 'function')).toBe(true);
  });

  it.each([
    ['metaads', ['listDestinations']],
    ['googleads', ['createDestination', 'listDestinations']],
    [
      'linkedinads',
      ['addAssociations', 'createDestination', 'deleteDestination', 'getDestination', 'getMetrics', 'listAssociations', 'listDestinations', 'removeAssociations', 'updateDestination'],
    ],
  ] as const)('%s can %j, and no more', (platform, members) => {
    expect(Object.keys(MANAGEMENT[platform]).sort()).toEqual(members);
  });

  it('names a version of the Google Ads API', () => {
    expect(GOOGLE_ADS_VERSION).toMatch(/^v\d+$/);
  });
});
