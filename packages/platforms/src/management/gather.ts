import { PlatformCallError, type PlatformCallKind } from './errors.ts';
import { CALLS_AT_ONCE, MAX_LIST_ITEMS, MAX_PAGES, MAX_PARENTS } from './limits.ts';

/** Runs at most `limit` at once; results in the order of `items`. After the first failure nothing new is started. */
export async function mapLimited<Item, Result>(
  items: readonly Item[],
  limit: number,
  run: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  let next = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    while (!failed && next < items.length) {
      const index = next++;
      try {
        results[index] = await run(items[index]!);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  return results;
}

export interface Listing<Item> {
  readonly items: readonly Item[];
  /** What was left out and why; never about a person. */
  readonly warnings: readonly string[];
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** `undefined`: this was the last page. */
  readonly next: string | undefined;
}

/** All pages of a list, up to the limits. `name` is for the warning. */
export async function allPages<Item>(name: string, fetchPage: (cursor: string | undefined) => Promise<Page<Item>>): Promise<Listing<Item>> {
  const items: Item[] = [];
  const seen = new Set<string>();
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const { items: more, next } = await fetchPage(cursor);
    items.push(...more.slice(0, MAX_LIST_ITEMS - items.length));
    // A cursor that comes back would go round for ever.
    if (next === undefined || seen.has(next)) return { items, warnings: [] };
    if (items.length >= MAX_LIST_ITEMS) break;
    seen.add(next);
    cursor = next;
  }
  return { items, warnings: [`Only the first ${items.length} ${name} were read; there are more.`] };
}

/** Refusals that may be about one ad account only, not about the token or the moment. */
const ABOUT_ONE: ReadonlySet<PlatformCallKind> = new Set(['permission', 'not_found', 'invalid', 'config']);

export interface Source<Item> {
  /** For the warning, e.g. `customer 1234567890`. */
  readonly name: string;
  readonly list: () => Promise<Listing<Item>>;
}

/**
 * What several sources give together. A token often reaches accounts that are closed or that it may not read; those are
 * left out with a warning, unless none is left: then the first refusal is the answer.
 */
export function gather<Item>(sources: readonly Source<Item>[]): Promise<Listing<Item>> {
  return gatherUnless(sources, (read) => read.length === 0);
}

/**
 * As `gather`, of ways that lead to the same things. Where one is closed and the others give nothing, nobody can say that there
 * is nothing: the first refusal is the answer.
 */
export function gatherWays<Item>(ways: readonly Source<Item>[]): Promise<Listing<Item>> {
  return gatherUnless(ways, (read) => read.every(({ items }) => items.length === 0));
}

async function gatherUnless<Item>(sources: readonly Source<Item>[], isNothing: (read: readonly Listing<Item>[]) => boolean): Promise<Listing<Item>> {
  const asked = sources.slice(0, MAX_PARENTS);
  const outcomes = await mapLimited(asked, CALLS_AT_ONCE, attempt);
  const refusal = outcomes.find((outcome) => outcome instanceof PlatformCallError);
  const read = outcomes.filter((outcome): outcome is Listing<Item> => !(outcome instanceof PlatformCallError));
  if (refusal !== undefined && isNothing(read)) throw refusal;
  return {
    items: read.flatMap(({ items }) => items).slice(0, MAX_LIST_ITEMS),
    warnings: [
      ...read.flatMap(({ warnings }) => warnings),
      ...outcomes.flatMap((outcome, index) => (outcome instanceof PlatformCallError ? [`${asked[index]!.name} was left out: ${outcome.code}`] : [])),
      ...(sources.length > MAX_PARENTS ? [`Only the first ${MAX_PARENTS} of ${sources.length} accounts were read.`] : []),
    ],
  };
}

/** What a source gives, or why it cannot: a value, so that the others go on. */
async function attempt<Item>({ list }: Source<Item>): Promise<Listing<Item> | PlatformCallError> {
  try {
    return await list();
  } catch (error) {
    if (error instanceof PlatformCallError && ABOUT_ONE.has(error.kind)) return error;
    throw error;
  }
}
