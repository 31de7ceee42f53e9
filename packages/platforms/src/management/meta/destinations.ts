import { asObject, asText, type JsonObject } from '../../http/json.ts';
import type { MetaCredentials } from '../../meta/index.ts';
import { gather, gatherWays, type Listing, type Source } from '../gather.ts';
import { sortedDestinations, type ConversionDestination, type DestinationManagement } from '../management.ts';
import { graphList, nextCursor, objectsIn, type MetaContext } from './call.ts';

/** Of `AdsPixel`. https://developers.facebook.com/docs/marketing-api/reference/ads-pixel (read 2026-09-12) */
const PIXEL_FIELDS = 'id,name,is_unavailable';

/** Pixels and datasets are made in Events Manager, not here: Meta has a list only. */
export const metaManagement: DestinationManagement<MetaCredentials> = {
  /** Ad accounts and businesses both, as a user's token reaches the ones and a system user's the others. */
  async listDestinations(ctx) {
    const { items, warnings } = await gatherWays<JsonObject>([
      { name: 'ad accounts', list: () => pixelsOfAdAccounts(ctx) },
      { name: 'businesses', list: () => pixelsOfBusinesses(ctx) },
    ]);
    return { destinations: sortedDestinations(items.map(readPixel).filter((one) => one !== undefined)), warnings };
  },
};

/** The pixels come nested, one call for fifty ad accounts; an edge with more than a page of them is read on by itself. */
async function pixelsOfAdAccounts(ctx: MetaContext): Promise<Listing<JsonObject>> {
  const accounts = await graphList(ctx, 'me/adaccounts', `id,account_id,name,adspixels{${PIXEL_FIELDS}}`);
  const nested = accounts.items.map((account) => ({ id: asText(account['id']), edge: asObject(account['adspixels']) ?? {} }));
  const sources = nested.flatMap(({ id, edge }): Source<JsonObject>[] => {
    const after = nextCursor(edge);
    // Only ids of the form that Graph gives go into a path.
    if (after === undefined || id === undefined || !/^act_\d+$/.test(id)) return [];
    return [{ name: `ad account ${id}`, list: () => graphList(ctx, `${id}/adspixels`, PIXEL_FIELDS, after) }];
  });
  const first = nested.flatMap(({ edge }) => objectsIn(edge['data']));
  // The first pages are there already, so a refusal of further ones is never all that is left.
  const rest = await gather([{ name: 'first pages', list: () => Promise.resolve({ items: first, warnings: [] }) }, ...sources]);
  return { items: rest.items, warnings: [...accounts.warnings, ...rest.warnings] };
}

async function pixelsOfBusinesses(ctx: MetaContext): Promise<Listing<JsonObject>> {
  const businesses = await graphList(ctx, 'me/businesses', 'id,name');
  const ids = businesses.items.map((business) => asText(business['id'])).filter((id) => id !== undefined && /^\d+$/.test(id));
  const sources = ids.flatMap((id): Source<JsonObject>[] =>
    ['owned_pixels', 'client_pixels'].map((edge) => ({ name: `${edge} of business ${id}`, list: () => graphList(ctx, `${id}/${edge}`, PIXEL_FIELDS) })),
  );
  const pixels = await gatherWays(sources);
  return { items: pixels.items, warnings: [...businesses.warnings, ...pixels.warnings] };
}

function readPixel(pixel: JsonObject): ConversionDestination | undefined {
  const id = asText(pixel['id']);
  if (id === undefined) return undefined;
  return { id, name: asText(pixel['name']) ?? id, status: pixel['is_unavailable'] === true ? 'inactive' : 'active' };
}
