import type { PlatformId } from '@relay/contract';
import type { Account } from '@relay/delivery';
import type { ApiDeps } from './api-deps.ts';
import { describeIssue } from './json/describe-issue.ts';
import { explainFaults } from './json/explain-faults.ts';
import { definitionOf } from './prepare-conversions.ts';

/** Credentials as the platform's schema reads them; unknown keys are left out. @throws RelayError naming every bad path. */
export function checkCredentials(deps: Pick<ApiDeps, 'platforms'>, platform: PlatformId, given: Readonly<Record<string, unknown>>): Account['credentials'] {
  const parsed = definitionOf(deps, platform).credentials.safeParse(given, { error: describeIssue });
  if (parsed.success) return parsed.data as Account['credentials']; // every platform's schema is an object
  const issues = parsed.error.issues.map((issue) => ({ ...issue, path: ['credentials', ...issue.path] }));
  throw explainFaults(issues, [], 'The request body');
}
