import type { PlatformId } from '@relay/contract';
import type { Account } from '@relay/delivery';
import type { ApiDeps } from './api-deps.ts';
import { describeIssue } from './json/describe-issue.ts';
import { explainFaults } from './json/explain-faults.ts';

/**
 * Credentials as the platform's schema reads them; unknown keys are left out. Those of a platform that this relay does
 * not serve yet are taken as they are, as the bootstrap file's are. @throws RelayError naming every bad path.
 */
export function checkCredentials(deps: Pick<ApiDeps, 'platforms'>, platform: PlatformId, given: Readonly<Record<string, unknown>>): Account['credentials'] {
  const definition = deps.platforms[platform];
  if (definition === undefined) return given;
  const parsed = definition.credentials.safeParse(given, { error: describeIssue });
  if (parsed.success) return parsed.data as Account['credentials']; // every platform's schema is an object
  const issues = parsed.error.issues.map((issue) => ({ ...issue, path: ['credentials', ...issue.path] }));
  throw explainFaults(issues, [], 'The request body');
}
