import { badRequest } from './errors.ts';
import type { AdsRefusal } from './errors.ts';

/** As much of the query language as listing actions and customers needs: SELECT, FROM, WHERE with AND, ORDER BY, LIMIT. */
export interface Query {
  readonly fields: readonly string[];
  readonly from: string;
  readonly conditions: readonly Condition[];
  readonly orderBy: readonly { readonly field: string; readonly descending: boolean }[];
  readonly limit: number | undefined;
}

export interface Condition {
  readonly field: string;
  readonly operator: string;
  readonly values: readonly string[];
}

const SHAPE = /^\s*SELECT\s+(?<fields>.+?)\s+FROM\s+(?<from>\w+)(?:\s+WHERE\s+(?<where>.+?))?(?:\s+ORDER\s+BY\s+(?<order>.+?))?(?:\s+LIMIT\s+(?<limit>\d+))?(?:\s+PARAMETERS\s+.+)?\s*;?\s*$/is;
const CONDITION = /^\s*(?<field>[\w.]+)\s*(?<operator>!=|<=|>=|=|<|>|NOT\s+IN|IN|LIKE)\s*(?<value>.+?)\s*$/is;
const ORDER = /^\s*([\w.]+)(?:\s+(ASC|DESC))?\s*$/i;

const QUOTED = /'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/g;

const queryError = (code: string, message: string): AdsRefusal => badRequest({ category: 'queryError', code, message });

/** A refusal has a `status`, a query has not. */
export function parseQuery(text: string): Query | AdsRefusal {
  // Quoted text is set aside first: names hold blanks, commas and the query's own words.
  const literals: string[] = [];
  const masked = text.replaceAll(QUOTED, (_match, single?: string, double?: string) => `«${literals.push((single ?? double ?? '').replaceAll(/\\(.)/g, '$1')) - 1}»`);
  const groups = SHAPE.exec(masked)?.groups;
  if (groups === undefined) return queryError(/^\s*SELECT\b/i.test(text) ? 'EXPECTED_FROM' : 'EXPECTED_SELECT', 'Error in query: unexpected input.');
  const { fields = '', from = '', where, order, limit } = groups;
  const conditions = where === undefined ? [] : where.split(/\s+AND\s+/i).map((condition) => conditionOf(condition, literals));
  const bad = conditions.findIndex((condition) => condition === undefined);
  if (bad !== -1) return queryError('BAD_OPERATOR', 'Error in WHERE clause: invalid condition.');
  const orderBy = order === undefined ? [] : order.split(',').map((entry) => ORDER.exec(entry));
  if (orderBy.includes(null)) return queryError('BAD_SYMBOL', 'Error in ORDER BY clause.');
  return {
    fields: fields.split(',').map((field) => field.trim()),
    from,
    conditions: conditions.filter((condition) => condition !== undefined),
    orderBy: orderBy.map((found) => ({ field: found?.[1] ?? '', descending: found?.[2]?.toUpperCase() === 'DESC' })),
    limit: limit === undefined ? undefined : Number(limit),
  };
}

function conditionOf(text: string, literals: readonly string[]): Condition | undefined {
  const groups = CONDITION.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const { field = '', operator = '', value = '' } = groups;
  const name = operator.toUpperCase().replace(/\s+/, ' ');
  const isList = name.endsWith('IN');
  const inner = /^\((.*)\)$/s.exec(value)?.[1];
  if (isList !== (inner !== undefined)) return undefined;
  const values = (inner ?? value).split(isList ? ',' : /$^/).map((literal) => literalOf(literal, literals));
  return values.every((entry) => entry !== undefined) ? { field, operator: name, values } : undefined;
}

/** Strings are quoted; numbers, booleans and enum names need not be. */
function literalOf(text: string, literals: readonly string[]): string | undefined {
  const trimmed = text.trim();
  const quoted = /^«(\d+)»$/.exec(trimmed)?.[1];
  if (quoted !== undefined) return literals[Number(quoted)];
  return /^-?[\w.]+$/.test(trimmed) ? trimmed : undefined;
}

export type Row = Readonly<Record<string, unknown>>;

/** What a cell compares as; lists and objects cannot be filtered on. */
function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

export function satisfies(row: Row, { field, operator, values }: Condition): boolean {
  const own = textOf(row[field]);
  const [value = ''] = values;
  switch (operator) {
    case '=':
      return own === value;
    case '!=':
      return own !== value;
    case 'IN':
      return values.includes(own);
    case 'NOT IN':
      return !values.includes(own);
    case 'LIKE':
      return new RegExp(`^${value.replaceAll('%', '.*')}$`, 'i').test(own);
    default: {
      const difference = Number(own) - Number(value);
      if (operator === '<') return difference < 0;
      if (operator === '>') return difference > 0;
      return operator === '<=' ? difference <= 0 : difference >= 0;
    }
  }
}

export function compareRows(left: Row, right: Row, orderBy: Query['orderBy']): number {
  for (const { field, descending } of orderBy) {
    const order = textOf(left[field]).localeCompare(textOf(right[field]), 'en', { numeric: true });
    if (order !== 0) return descending ? -order : order;
  }
  return 0;
}
