/**
 * Versions are monthly and live for at least a year (202511 ended on 2026-11-16); afterwards every call is a 426.
 * https://learn.microsoft.com/en-us/linkedin/marketing/versioning (read 2026-11).
 */
const OLD_AFTER_MONTHS = 10;

/** A `LINKEDIN_VERSION` that an operator should be told to move on from while it still works; `undefined`: it is young enough. */
export function oldVersion(version: string, nowMs: number): { readonly linkedinVersion: string; readonly ageMonths: number } | undefined {
  const ageMonths = versionAgeMonths(version, nowMs);
  return ageMonths !== undefined && ageMonths > OLD_AFTER_MONTHS ? { linkedinVersion: version, ageMonths } : undefined;
}

/** Whole months between a version (`YYYYMM`) and now; `undefined` if it is no version. */
function versionAgeMonths(version: string, nowMs: number): number | undefined {
  const match = /^(\d{4})(0[1-9]|1[0-2])$/.exec(version);
  if (match === null) return undefined;
  const now = new Date(nowMs);
  return (now.getUTCFullYear() - Number(match[1])) * 12 + now.getUTCMonth() + 1 - Number(match[2]);
}
