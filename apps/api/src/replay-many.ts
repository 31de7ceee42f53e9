import type { ApiKey, DeadLetter, DeadLetterStore, ReplayResult } from '@relay/delivery';
import { mayUse, visibleAccounts } from './account-access.ts';
import type { ReplayMany } from './schemas/dead-letter.ts';

const PAGE = 100;
/** Letters in flight at once: enough to hide the round trips, few enough to leave Redis to the traffic. */
const AT_ONCE = 8;
const MAX_RESULTS = 1000;
/** One request looks at so many letters or takes so long; `nextCursor` then says where the others begin, past those that were refused. */
const MAX_LETTERS = 10_000;
const MAX_MS = 50_000;

export interface ReplayedMany {
  replayed: number;
  refused: number;
  events: number;
  results: { id: string; result: 'replayed' | 'refused'; events?: number; why?: string }[];
  more: boolean;
  nextCursor: string | null;
}

/** Letters that are to be replayed, and the cursor that their page begins at. */
interface IdPage {
  readonly ids: readonly string[];
  readonly cursor: string | undefined;
}

interface Needs {
  readonly deadLetters: Pick<DeadLetterStore, 'get' | 'list' | 'replay'>;
  readonly now: () => number;
}

/** Replays letters by id or by filter, page by page, so that a million of them never stand in memory. */
export async function replayMany(deps: Needs, apiKey: ApiKey, wanted: ReplayMany): Promise<ReplayedMany> {
  const total: ReplayedMany = { replayed: 0, refused: 0, events: 0, results: [], more: false, nextCursor: null };
  const deadlineMs = deps.now() + MAX_MS;
  let taken = 0;
  for await (const { ids, cursor } of pagesOf(deps, apiKey, wanted, total)) {
    if (taken >= MAX_LETTERS || deps.now() > deadlineMs) {
      total.more = true;
      total.nextCursor = cursor ?? null;
      break;
    }
    taken += ids.length;
    for (let at = 0; at < ids.length; at += AT_ONCE) {
      const some = ids.slice(at, at + AT_ONCE);
      const results = await Promise.all(some.map((id) => deps.deadLetters.replay(id, { force: wanted.force })));
      for (const [index, result] of results.entries()) note(total, some[index]!, result);
    }
  }
  return total;
}

function note(total: ReplayedMany, id: string, result: ReplayResult): void {
  if (result.kind === 'replayed') {
    total.replayed += 1;
    total.events += result.events;
    if (total.results.length < MAX_RESULTS) total.results.push({ id, result: 'replayed', events: result.events });
  } else {
    total.refused += 1;
    const why = result.kind === 'refused' ? result.why : NOT_FOUND;
    if (total.results.length < MAX_RESULTS) total.results.push({ id, result: 'refused', why });
  }
}

const NOT_FOUND = 'There is no dead letter with this id.';

async function* pagesOf(deps: Needs, apiKey: ApiKey, wanted: ReplayMany, total: ReplayedMany): AsyncGenerator<IdPage> {
  const { ids, force: _force, cursor: start, ...filter } = wanted;
  if (ids !== undefined) {
    yield* pagesOfIds(deps, apiKey, ids, filter, total);
    return;
  }
  let cursor = start;
  do {
    const page = await deps.deadLetters.list({ ...filter, accounts: visibleAccounts(apiKey) }, PAGE, cursor);
    // What was replayed before is neither done again nor counted as a refusal of this request.
    const open = page.rows.filter((letter) => letter.replayedAtMs === undefined).map((letter) => letter.id);
    // An empty one too: looking for letters takes time as well.
    yield { ids: open, cursor };
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}

/** Letters named by id that are not there, of another account, or outside the filter are refused alike. */
async function* pagesOfIds(deps: Needs, apiKey: ApiKey, ids: readonly string[], filter: Filter, total: ReplayedMany): AsyncGenerator<IdPage> {
  const distinct = [...new Set(ids)];
  for (let at = 0; at < distinct.length; at += PAGE) {
    const some = distinct.slice(at, at + PAGE);
    const letters = await Promise.all(some.map((id) => deps.deadLetters.get(id)));
    const visible: string[] = [];
    for (const [index, letter] of letters.entries()) {
      if (letter !== undefined && mayUse(apiKey, letter.accountId) && fits(letter, filter)) visible.push(letter.id);
      else note(total, some[index]!, { kind: 'not_found' });
    }
    yield { ids: visible, cursor: undefined };
  }
}

type Filter = Pick<ReplayMany, 'platform' | 'accountId' | 'destinationId' | 'reason'>;

function fits(letter: DeadLetter, filter: Filter): boolean {
  return (
    (filter.platform === undefined || filter.platform === letter.platform) &&
    (filter.accountId === undefined || filter.accountId === letter.accountId) &&
    (filter.destinationId === undefined || filter.destinationId === letter.destinationId) &&
    (filter.reason === undefined || filter.reason === letter.reason)
  );
}
