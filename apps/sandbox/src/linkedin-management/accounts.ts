import type { Answer } from '../linkedin/answer.ts';
import { accountFor, badRequest, readParam, textParam } from './call.ts';
import type { Call } from './call.ts';
import { searchPage, startPage } from './paging.ts';
import { isRecord, stringsIn } from './restli.ts';
import { accountUrn } from './world.ts';

const MEMBER = 'urn:li:person:sandboxMember';
const MAX_USERS = 1000;
const STAMP = { created: { actor: 'urn:li:unknown:0', time: 1_700_000_000_000 }, lastModified: { actor: 'urn:li:unknown:0', time: 1_700_000_000_000 } };

const SEARCH_FIELDS = new Set(['status', 'id', 'name', 'type', 'test', 'reference', 'campaignGroup', 'associatedEntity']);

/** `search=(status:(values:List(ACTIVE)))`; the other criteria are read and not applied. */
function statusesIn(call: Call): readonly string[] | undefined {
  const search = readParam(call, 'search');
  if (search === undefined) return undefined;
  if (!isRecord(search)) throw badRequest("Invalid value for parameter 'search'", 'PARAM_INVALID');
  const unknown = Object.keys(search).find((name) => !SEARCH_FIELDS.has(name));
  if (unknown !== undefined) throw badRequest(`Invalid value for parameter 'search': unknown field ${unknown}`, 'PARAM_INVALID');
  const status = search['status'];
  if (status === undefined) return undefined;
  const values = isRecord(status) ? stringsIn(status['values']) : undefined;
  if (values === undefined) throw badRequest("Invalid value for parameter 'search': status needs (values:List(..))", 'PARAM_INVALID');
  return values;
}

function checkFinder(call: Call, name: string): void {
  if (textParam(call, 'q') !== name) throw badRequest(`Finder '${name}' is expected`, 'PARAM_INVALID');
}

/** `GET /rest/adAccountUsers?q=authenticatedUser`: the member's accounts with its role in each. */
export function findAccountUsers(call: Call): Answer {
  checkFinder(call, 'authenticatedUser');
  const elements = call.world.accounts.map(({ id, role }) => ({ account: accountUrn(id), user: MEMBER, role, changeAuditStamps: STAMP }));
  return { status: 200, body: startPage(call, elements, { totalKnown: true, most: MAX_USERS }) };
}

/** `GET /rest/adAccounts?q=search`. */
export function searchAccounts(call: Call): Answer {
  checkFinder(call, 'search');
  const statuses = statusesIn(call);
  const elements = call.world.accounts.map(({ id, name, currency }) => ({
    id: Number(id),
    name,
    currency,
    status: 'ACTIVE',
    type: 'BUSINESS',
    test: false,
    reference: 'urn:li:organization:800000001',
    servingStatuses: ['RUNNABLE'],
    changeAuditStamps: STAMP,
  }));
  return { status: 200, body: searchPage(call, elements.filter(({ status }) => statuses === undefined || statuses.includes(status))) };
}

/** `GET /rest/adAccounts/{id}/adCampaigns?q=search`. */
export function searchCampaigns(call: Call): Answer {
  checkFinder(call, 'search');
  accountFor(call, call.key, 'read');
  const statuses = statusesIn(call);
  const elements = call.world
    .campaignsOf(call.key)
    .filter(({ status }) => statuses === undefined || statuses.includes(status))
    .map(({ id, accountId, name, status, objectiveType }) => ({ id: Number(id), account: accountUrn(accountId), name, status, objectiveType, type: 'SPONSORED_UPDATES' }));
  return { status: 200, body: searchPage(call, elements) };
}
