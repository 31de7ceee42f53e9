import { OAUTH_ERRORS as GOOGLE_OAUTH, OPERATOR_REASONS, REASONS, SCOPE_REASON, TRANSIENT_STATUSES } from '../../../packages/platforms/src/google/codes.ts';
import { CODES, OAUTH_ERRORS as LINKEDIN_OAUTH } from '../../../packages/platforms/src/linkedin/codes.ts';
import { META_CODES } from '../../../packages/platforms/src/meta/codes.ts';
import { GOOGLE_ROWS, LINKEDIN_ROWS, META_ROWS, type ErrorRow } from './error-rows.ts';

/** Codes that the adapters have a rule for and that no row tries. The rows say on their own what each leads to. */
export function missingRows(): readonly string[] {
  const google = textOf(GOOGLE_ROWS);
  const linkedin = textOf(LINKEDIN_ROWS);
  const graph = META_ROWS.flatMap(({ body }) => ((body as { error?: { code: number; error_subcode?: number } }).error ?? []));
  return [
    ...META_CODES.flatMap(({ code, to = code, subcode }) => Array.from({ length: to - code + 1 }, (_, i) => [code + i, subcode] as const))
      // A range of permissions: its ends and the one that Meta documents stand for it.
      .filter(([code]) => code < 201 || code > 298 || code === 294)
      .filter(([code, subcode]) => !graph.some((error) => error.code === code && (subcode === undefined || error.error_subcode === subcode)))
      .map((pair) => `Meta ${pair.join('/')}`),
    ...[...Object.keys(REASONS), ...Object.keys(GOOGLE_OAUTH), ...OPERATOR_REASONS, SCOPE_REASON, ...TRANSIENT_STATUSES].filter((code) => !google.has(code)).map((code) => `Google ${code}`),
    ...[...Object.keys(CODES), ...Object.keys(LINKEDIN_OAUTH)].filter((code) => !linkedin.has(code)).map((code) => `LinkedIn ${code}`),
  ];
}

/** Every string and number in the bodies, as text. */
function textOf(rows: readonly ErrorRow[]): ReadonlySet<string> {
  const found = new Set<string>();
  const walk = (value: unknown): void => {
    if (typeof value === 'object' && value !== null) Object.values(value).forEach(walk);
    else found.add(String(value));
  };
  for (const { body } of rows) walk(body);
  return found;
}
