/**
 * `LinkedIn-Version` to send unless the operator says otherwise. Versions are monthly and live for at least a year (202511
 * ended on 2026-11-16), so 202609 ends in September 2027 at the earliest; afterwards every call is a 426.
 * https://learn.microsoft.com/en-us/linkedin/marketing/versioning (read 2026-11).
 */
export const DEFAULT_LINKEDIN_VERSION = '202609';

/** From this age on an operator should be told to move on. */
export const OLD_VERSION_MONTHS = 10;

/** Whole months between a version (`YYYYMM`) and now; `undefined` if it is no version. */
export function versionAgeMonths(version: string, nowMs: number): number | undefined {
  const match = /^(\d{4})(0[1-9]|1[0-2])$/.exec(version);
  if (match === null) return undefined;
  const now = new Date(nowMs);
  return (now.getUTCFullYear() - Number(match[1])) * 12 + now.getUTCMonth() + 1 - Number(match[2]);
}
