/**
 * How far one management call goes. Platforms publish no such limits; these keep one listing from becoming thousands of
 * calls. What lies beyond is left out, and a warning says so.
 */

/** Pages of one list. */
export const MAX_PAGES = 40;
/** Entries of one list. Google pages by 10,000. */
export const MAX_LIST_ITEMS = 10_000;
/** Ad accounts, customers or businesses of one token that a listing walks through. */
export const MAX_PARENTS = 500;
/** Calls in flight for one listing; the caller bounds all listings together. */
export const CALLS_AT_ONCE = 4;
/** Campaigns of one request to add or remove associations. */
export const MAX_CAMPAIGNS = 500;
/** Associations of one call to LinkedIn: a key has about 110 characters, and addresses beyond some 8 KiB are refused. */
export const CAMPAIGNS_PER_CALL = 25;
