import type { Answer } from '../linkedin/answer.ts';
import { findAccountUsers, searchAccounts, searchCampaigns } from './accounts.ts';
import { findAnalytics } from './analytics.ts';
import {
  deleteAssociation,
  deleteAssociations,
  findAssociations,
  getAssociation,
  getAssociations,
  putAssociation,
  putAssociations,
} from './associations.ts';
import type { Call } from './call.ts';
import { createRule, findRules, getRule, updateRule } from './rules.ts';

export interface Route {
  readonly http: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** On the path below `/rest/`, as it came in; catches the key. */
  readonly path: RegExp;
  /** Parameter whose presence tells this route from another one of the same path. */
  readonly has?: string;
  /** Name of the route in the record. */
  readonly template: string;
  readonly restli: string;
  /** Nothing else tells this method. */
  readonly needsHeader?: boolean;
  readonly scope: 'rw_conversions' | 'r_ads' | 'r_ads_reporting';
  readonly params: readonly string[];
  readonly run: (call: Call) => Answer;
}

const CONVERSIONS = { scope: 'rw_conversions', template: 'conversions' } as const;
const RULE = { scope: 'rw_conversions', path: /^conversions\/(\d+)$/, template: 'conversions/:id', params: ['account'] } as const;
const ASSOCIATION = { scope: 'rw_conversions', path: /^campaignConversions\/(.+)$/, template: 'campaignConversions/:key', params: [] } as const;
const ASSOCIATIONS = { scope: 'rw_conversions', path: /^campaignConversions$/, has: 'ids', template: 'campaignConversions', params: ['ids'] } as const;
const SEARCH = { http: 'GET', has: 'q', restli: 'FINDER', scope: 'r_ads', params: ['q', 'search', 'sort', 'pageSize', 'pageToken', 'start', 'count'] } as const;
const ANALYTICS_PARAMS = ['q', 'pivot', 'timeGranularity', 'dateRange', 'fields', 'accounts', 'campaigns', 'campaignGroups', 'creatives', 'companies', 'shares'];

export const ROUTES: readonly Route[] = [
  { ...CONVERSIONS, http: 'POST', path: /^conversions$/, restli: 'CREATE', params: [], run: createRule },
  { ...CONVERSIONS, http: 'GET', path: /^conversions$/, has: 'q', restli: 'FINDER', params: ['q', 'account', 'start', 'count', 'conversionOwnershipTypes'], run: findRules },
  { ...RULE, http: 'GET', restli: 'GET', run: getRule },
  { ...RULE, http: 'POST', restli: 'PARTIAL_UPDATE', needsHeader: true, run: updateRule },
  { ...ASSOCIATION, http: 'PUT', restli: 'UPDATE', run: putAssociation },
  { ...ASSOCIATION, http: 'GET', restli: 'GET', run: getAssociation },
  { ...ASSOCIATION, http: 'DELETE', restli: 'DELETE', run: deleteAssociation },
  { ...ASSOCIATIONS, http: 'PUT', restli: 'BATCH_UPDATE', run: putAssociations },
  { ...ASSOCIATIONS, http: 'GET', restli: 'BATCH_GET', run: getAssociations },
  { ...ASSOCIATIONS, http: 'DELETE', restli: 'BATCH_DELETE', run: deleteAssociations },
  { ...ASSOCIATIONS, http: 'GET', has: 'q', restli: 'FINDER', params: ['q', 'campaigns', 'start', 'count'], run: findAssociations },
  { ...SEARCH, path: /^adAccountUsers$/, template: 'adAccountUsers', params: ['q', 'start', 'count'], run: findAccountUsers },
  { ...SEARCH, path: /^adAccounts$/, template: 'adAccounts', run: searchAccounts },
  { ...SEARCH, path: /^adAccounts\/(\d+)\/adCampaigns$/, template: 'adAccounts/:id/adCampaigns', run: searchCampaigns },
  { http: 'GET', has: 'q', restli: 'FINDER', scope: 'r_ads_reporting', path: /^adAnalytics$/, template: 'adAnalytics', params: ANALYTICS_PARAMS, run: findAnalytics },
];
