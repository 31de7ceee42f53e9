import type { SandboxCore } from '../core/types.ts';

/** Every switch of the Google Ads emulator, read once per request; README.md lists the reasons. */
export interface AdsSettings {
  readonly versions: readonly string[];
  readonly requireDeveloperToken: boolean;
  readonly developerToken: 'approved' | 'not_approved' | 'prohibited' | 'not_on_allowlist';
  readonly authErrorStyle: 'ads' | 'front_end';
  readonly grantHasScope: boolean;
  readonly notAdsUser: boolean;
  readonly listClosedCustomers: boolean;
  readonly pageSize: number;
  readonly emptyResults: 'absent' | 'list';
  readonly operationsPerDay: number;
  readonly namesIgnoreCase: boolean;
  readonly tooRecentConversion: boolean;
  readonly tooRecentConversionAction: boolean;
  readonly duplicateRows: 'later' | 'all';
  readonly termsSigned: boolean;
}

export function readSettings(core: SandboxCore): AdsSettings {
  return {
    versions: core.switchOf<string>('googleAds.versions', 'v24,v25,v26').split(','),
    requireDeveloperToken: core.switchOf<boolean>('googleAds.requireDeveloperToken', true),
    developerToken: core.switchOf<'approved' | 'not_approved' | 'prohibited' | 'not_on_allowlist'>('googleAds.developerToken', 'approved'),
    authErrorStyle: core.switchOf<'ads' | 'front_end'>('googleAds.authErrorStyle', 'ads'),
    grantHasScope: core.switchOf<boolean>('googleAds.grantHasScope', true),
    notAdsUser: core.switchOf<boolean>('googleAds.notAdsUser', false),
    listClosedCustomers: core.switchOf<boolean>('googleAds.listClosedCustomers', true),
    pageSize: core.switchOf<number>('googleAds.pageSize', 10_000),
    emptyResults: core.switchOf<'absent' | 'list'>('googleAds.emptyResults', 'absent'),
    operationsPerDay: core.switchOf<number>('googleAds.operationsPerDay', 0),
    namesIgnoreCase: core.switchOf<boolean>('googleAds.namesIgnoreCase', false),
    tooRecentConversion: core.switchOf<boolean>('googleAds.tooRecentConversion', false),
    tooRecentConversionAction: core.switchOf<boolean>('googleAds.tooRecentConversionAction', false),
    duplicateRows: core.switchOf<'later' | 'all'>('googleAds.duplicateRows', 'later'),
    // The Data Manager's switch: the terms are the customer's, whichever API asks.
    termsSigned: core.switchOf<boolean>('google.customerTermsSigned', true),
  };
}
