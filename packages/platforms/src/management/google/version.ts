/**
 * The Google Ads API version that is called unless the operator says otherwise. The facts here were read from the protos of
 * v24 (google-ads-node 24.1.0, `google/ads/googleads/v24/**`); newer versions exist (v26 in November 2026), so it is a
 * setting. A version is served for about a year. https://developers.google.com/google-ads/api/docs/sunset-dates
 */
export const GOOGLE_ADS_VERSION = 'v24';
