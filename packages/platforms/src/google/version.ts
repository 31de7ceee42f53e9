/**
 * Version of the Data Manager API that this adapter speaks. Google names no sunset date for v1; its release notes are at
 * https://developers.google.com/data-manager/api/release-notes (facts read up to November 2026).
 */
export const DATA_MANAGER_VERSION = 'v1';
