/**
 * The Graph API version that this adapter is written against: released 2026-02-18, usable until 2028-07-29. (v26.0 exists
 * since 2026-07-29.) What is called is up to the operator's setting; Meta answers code 2635 once a version is gone.
 * https://developers.facebook.com/docs/graph-api/changelog (read 2026-09-12)
 */
export const META_GRAPH_VERSION = 'v25.0';
