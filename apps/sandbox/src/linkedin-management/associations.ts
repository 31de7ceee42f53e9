import type { Answer } from '../linkedin/answer.ts';
import type { ErrorEnvelope } from '../linkedin/error-bodies.ts';
import { accountFor, badRequest, notFound, readBody, readParam, Refused, required, textParam, urnId, urnListParam } from './call.ts';
import type { Call } from './call.ts';
import { startPage } from './paging.ts';
import { isRecord, parseRestli } from './restli.ts';
import type { RestliValue } from './restli.ts';
import { campaignUrn, ruleUrn } from './world.ts';
import type { Association } from './world.ts';

/** A key names a campaign and a rule; the URNs in it are percent-encoded, its structure is not. */
interface Key {
  readonly campaignId: string;
  readonly ruleId: string;
}

const MAX_FOUND = 1000;

const elementOf = ({ campaignId, ruleId, associatedAt }: Association) => ({ campaign: campaignUrn(campaignId), conversion: ruleUrn(ruleId), associatedAt });

function textOf({ campaignId, ruleId }: Key, style: 'encoded' | 'raw'): string {
  const urn = style === 'encoded' ? encodeURIComponent : (text: string) => text;
  return `(campaign:${urn(campaignUrn(campaignId))},conversion:${urn(ruleUrn(ruleId))})`;
}

function keyOf(value: RestliValue | undefined): Key {
  if (!isRecord(value) || Object.keys(value).toSorted().join() !== 'campaign,conversion') {
    throw badRequest('Invalid key: expected (campaign:urn%3Ali%3AsponsoredCampaign%3A..,conversion:urn%3Alla%3AllaPartnerConversion%3A..)', 'PARAM_INVALID');
  }
  return { campaignId: urnId(value['campaign'], 'li:sponsoredCampaign'), ruleId: urnId(value['conversion'], 'lla:llaPartnerConversion') };
}

const pathKey = (call: Call): Key => keyOf(parseRestli(call.key));

function batchKeys(call: Call): readonly Key[] {
  const value = required(readParam(call, 'ids'), 'ids');
  if (!Array.isArray(value) || value.length === 0) throw badRequest("Invalid value for parameter 'ids': a List of keys is expected", 'PARAM_INVALID');
  return value.map((entry: RestliValue) => keyOf(entry));
}

/** Both ends exist, belong together and may be touched. */
function checkPair(call: Call, { campaignId, ruleId }: Key, mode: 'read' | 'write'): void {
  const rule = call.rules.find(ruleId);
  if (rule === undefined) throw notFound(`The conversion ${ruleUrn(ruleId)} does not exist`);
  const campaign = call.world.campaignOf(campaignId);
  if (campaign === undefined) throw notFound(`The campaign ${campaignUrn(campaignId)} does not exist`);
  accountFor(call, rule.accountId, mode);
  if (campaign.accountId !== rule.accountId) throw badRequest('The campaign and the conversion do not belong to the same account');
}

function associate(call: Call, key: Key): void {
  checkPair(call, key, 'write');
  // Scripted: this campaign is refused wherever it appears.
  const poison = call.core.poison('linkedin', key.campaignId);
  if (poison !== undefined) throw badRequest(`The campaign ${campaignUrn(key.campaignId)} cannot be associated`, poison.code);
  call.world.associate(key.campaignId, key.ruleId, call.core.now());
}

function dissociate(call: Call, key: Key): void {
  checkPair(call, key, 'write');
  if (!call.world.dissociate(key.campaignId, key.ruleId) && call.settings.deleteMissingStatus >= 400) {
    throw new Refused({ status: call.settings.deleteMissingStatus, message: 'The association does not exist' });
  }
}

function found(call: Call, key: Key) {
  checkPair(call, key, 'read');
  const association = call.world.association(key.campaignId, key.ruleId);
  if (association === undefined) throw notFound('The association does not exist');
  return elementOf(association);
}

interface Batch {
  readonly results: Record<string, unknown>;
  readonly statuses: Record<string, number>;
  readonly errors: Record<string, ErrorEnvelope>;
}

/** Key by key: what one key is told is no business of the others. */
function eachKey(call: Call, keys: readonly Key[], act: (key: Key) => { readonly status: number; readonly result: unknown }): Batch {
  const batch: Batch = { results: {}, statuses: {}, errors: {} };
  for (const key of keys) {
    const text = textOf(key, call.settings.resultKeys);
    try {
      const { status, result } = act(key);
      batch.results[text] = result;
      batch.statuses[text] = status;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      batch.errors[text] = error.envelope;
    }
  }
  return batch;
}

function written(call: Call, keys: readonly Key[], act: (call: Call, key: Key) => void): Answer {
  const { results, errors } = eachKey(call, keys, (key) => {
    act(call, key);
    return { status: 204, result: { status: 204 } };
  });
  return { status: 200, body: { results, errors } };
}

/** `PUT …/{key}`: idempotent; body and key must say the same. */
export function putAssociation(call: Call): Answer {
  const key = pathKey(call);
  checkEntity(readBody(call), key);
  associate(call, key);
  return { status: 204 };
}

function checkEntity(entity: unknown, { campaignId, ruleId }: Key): void {
  const { campaign, conversion, ...unknown } = (typeof entity === 'object' && entity !== null ? entity : {}) as Readonly<Record<string, unknown>>;
  if (Object.keys(unknown).length > 0) throw new Refused({ status: 422, message: `ERROR :: /${Object.keys(unknown)[0] ?? ''} :: unrecognized field found but not allowed\n` });
  if (campaign !== campaignUrn(campaignId) || conversion !== ruleUrn(ruleId)) throw badRequest('The key and the entity do not match');
}

/** `PUT …?ids=List(…)` with `{"entities":{key:entity}}`: as many entities as ids, under the same keys. */
export function putAssociations(call: Call): Answer {
  const keys = batchKeys(call);
  const { entities } = readBody(call);
  if (typeof entities !== 'object' || entities === null) throw badRequest("A batch update needs a body of the form {\"entities\":{}}");
  const byKey = new Map(Object.entries(entities as Readonly<Record<string, unknown>>).map(([text, entity]) => [textOf(entityKey(call, text), 'encoded'), entity]));
  const wanted = new Set(keys.map((key) => textOf(key, 'encoded')));
  if (byKey.size !== wanted.size || [...wanted].some((text) => !byKey.has(text))) throw badRequest('Batch keys of the query and of the body do not match');
  for (const key of keys) checkEntity(byKey.get(textOf(key, 'encoded')), key);
  return written(call, keys, associate);
}

function entityKey({ settings }: Call, text: string): Key {
  if (settings.entityKeys === 'any') {
    const [, campaign, conversion] = /^\(campaign:(urn:li:[^,]+),conversion:(urn:lla:[^)]+)\)$/.exec(text) ?? [];
    if (campaign !== undefined && conversion !== undefined) return keyOf({ campaign, conversion });
  }
  return keyOf(parseRestli(text));
}

export const getAssociation = (call: Call): Answer => ({ status: 200, body: found(call, pathKey(call)) });

export function getAssociations(call: Call): Answer {
  return { status: 200, body: eachKey(call, batchKeys(call), (key) => ({ status: 200, result: found(call, key) })) };
}

/** `GET …?q=campaigns&campaigns=List(…)`; there is no finder by rule. */
export function findAssociations(call: Call): Answer {
  if (textParam(call, 'q') !== 'campaigns') throw badRequest("Finder 'campaigns' is the only one of campaignConversions", 'PARAM_INVALID');
  const ids = required(urnListParam(call, 'campaigns', 'li:sponsoredCampaign'), 'campaigns');
  for (const id of ids) {
    const campaign = call.world.campaignOf(id);
    if (campaign === undefined) throw notFound(`The campaign ${campaignUrn(id)} does not exist`);
    accountFor(call, campaign.accountId, 'read');
  }
  const elements = ids.flatMap((id) => call.world.ofCampaign(id)).map(elementOf);
  return { status: 200, body: startPage(call, elements, { totalKnown: true, most: MAX_FOUND }) };
}

export function deleteAssociation(call: Call): Answer {
  dissociate(call, pathKey(call));
  return { status: 204 };
}

export const deleteAssociations = (call: Call): Answer => written(call, batchKeys(call), dissociate);
