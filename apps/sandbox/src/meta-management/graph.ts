import { SEED } from '../seed.ts';

/** Nodes and edges behind a token: ad accounts, businesses and the pixels of both. */
export type Node = Readonly<Record<string, unknown>> & { readonly id: string };

export interface NodeType {
  readonly name: string;
  readonly defaults: readonly string[];
  /** Every field that may be asked for; a node need not have a value for each. */
  readonly fields: ReadonlySet<string>;
  readonly edges: Readonly<Record<string, (node: Node) => Edge>>;
}

export interface Edge {
  readonly type: NodeType;
  readonly nodes: readonly Node[];
  /** Below the version, for links: `act_1/adspixels`. */
  readonly path: string;
}

const HOUR_MS = 3_600_000;

const PIXEL: NodeType = {
  name: 'AdsPixel',
  defaults: ['id'],
  fields: new Set(
    (
      'id name code config description creation_time creator owner_business owner_ad_account last_fired_time is_unavailable is_consolidated_container is_crm ' +
      'is_created_by_business is_mta_use is_restricted_use has_1p_pixel_event can_proxy data_use_setting first_party_cookie_status enable_automatic_matching ' +
      'automatic_matching_fields event_stats event_time_min event_time_max match_rate_approx matched_entries valid_entries duplicate_entries last_upload_app ' +
      'last_upload_app_changed_time usage user_access_expire_time'
    ).split(' '),
  ),
  edges: {},
};

const graphTime = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, '+0000');

function pixelNode(id: string, nowMs: number): Node {
  const unavailable = id === SEED.meta.unavailablePixel;
  const number = Number(id.slice(-1));
  return {
    id,
    name: unavailable ? 'Sandbox pixel out of reach' : `Sandbox pixel ${number}`,
    creation_time: '2026-01-05T09:00:00+0000',
    is_unavailable: unavailable,
    is_created_by_business: true,
    data_use_setting: 'ADVERTISING_AND_ANALYTICS',
    enable_automatic_matching: true,
    ...(unavailable ? {} : { last_fired_time: graphTime(nowMs - number * HOUR_MS) }),
  };
}

export interface Graph {
  readonly adAccounts: Edge;
  readonly businesses: Edge;
  /** The edge of an object, or `undefined` where the object or the edge does not exist. */
  edgeOf(objectId: string, edge: string): Edge | undefined;
}

/** Built per request: last fired times move with the clock. */
export function graphAt(nowMs: number): Graph {
  const pixels = (path: string, ids: readonly string[]): Edge => ({ type: PIXEL, path, nodes: ids.map((id) => pixelNode(id, nowMs)) });
  const accountPixels = (node: Node) => pixels(`${node.id}/adspixels`, SEED.meta.adAccounts.find(({ accountId }) => `act_${accountId}` === node.id)?.pixels ?? []);
  const adAccount: NodeType = {
    name: 'AdAccount',
    defaults: ['id', 'account_id'],
    fields: new Set(['id', 'account_id', 'name', 'account_status', 'currency', 'timezone_name', 'business']),
    edges: { adspixels: accountPixels },
  };
  const businessOf = (node: Node) => SEED.meta.businesses.find(({ id }) => id === node.id);
  const business: NodeType = {
    name: 'Business',
    defaults: ['id', 'name'],
    fields: new Set(['id', 'name', 'verification_status', 'created_time']),
    edges: {
      owned_pixels: (node) => pixels(`${node.id}/owned_pixels`, businessOf(node)?.ownedPixels ?? []),
      client_pixels: (node) => pixels(`${node.id}/client_pixels`, businessOf(node)?.clientPixels ?? []),
      adspixels: (node) => pixels(`${node.id}/adspixels`, [...(businessOf(node)?.ownedPixels ?? []), ...(businessOf(node)?.clientPixels ?? [])]),
    },
  };
  const adAccounts = SEED.meta.adAccounts.map(({ accountId, name }) => ({
    id: `act_${accountId}`,
    account_id: accountId,
    name,
    account_status: 1,
    currency: 'EUR',
    timezone_name: 'Europe/Berlin',
  }));
  const businesses = SEED.meta.businesses.map(({ id, name }) => ({ id, name, verification_status: 'verified' }));
  return {
    adAccounts: { type: adAccount, path: 'me/adaccounts', nodes: adAccounts },
    businesses: { type: business, path: 'me/businesses', nodes: businesses },
    edgeOf(objectId, edge) {
      const account = adAccounts.find(({ id }) => id === objectId);
      if (account !== undefined) return adAccount.edges[edge]?.(account);
      const owner = businesses.find(({ id }) => id === objectId);
      return owner && business.edges[edge]?.(owner);
    },
  };
}
