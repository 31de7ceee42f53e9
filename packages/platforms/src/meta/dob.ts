/**
 * `YYYYMMDD` from eight digits or from three groups of digits in any of the usual orders, as Meta's own code reads them:
 * a group above 31 is the year, and where day and month could be either, the month comes first.
 * No clock here, so the years are a fixed span.
 */
export function normaliseDob(value: string): string | undefined {
  const groups = value.match(/\d+/g);
  if (groups === null) return undefined;
  const [a = '', b = '', c] = groups;
  if (c !== undefined) return fromGroups(Number(a), Number(b), Number(c));
  if (groups.length !== 1 || a.length !== 8) return undefined;
  return asDate(Number(a.slice(0, 4)), Number(a.slice(4, 6)), Number(a.slice(6)));
}

function fromGroups(a: number, b: number, c: number): string | undefined {
  if (a > 31) return b > 12 ? asDate(a, c, b) : asDate(a, b, c);
  if (b > 31) return c > 12 ? asDate(b, a, c) : asDate(b, c, a);
  return a > 12 ? asDate(c, b, a) : asDate(c, a, b);
}

const FIRST_YEAR = 1800;
const LAST_YEAR = 2100;

function asDate(year: number, month: number, day: number): string | undefined {
  if (year < FIRST_YEAR || year > LAST_YEAR || month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  return String(year * 10_000 + month * 100 + day);
}
