import type { SandboxCore } from '../core/types.ts';
import { badParameter } from '../meta/errors.ts';
import type { Refusal } from '../meta/errors.ts';
import { SEED } from '../seed.ts';
import { parseFields } from './fields.ts';
import type { FieldPick } from './fields.ts';

type Json = Readonly<Record<string, unknown>>;

const listed = (text: string): readonly string[] => text.split(',').map((entry) => entry.trim());
const increase = (percentage: number) => ({ percentage, description: 'Median increase of additional conversions reported' });
const feedback = (identifier: string, percentage: number) => ({ identifier, coverage: { percentage }, potential_aly_acr_increase: increase(3.1) });

/** A row with everything the pages show. */
const FULL: Json = {
  event_name: 'Purchase',
  event_match_quality: {
    composite_score: 6.2,
    match_key_feedback: [feedback('email', 84.5), feedback('ip_address', 98), feedback('user_agent', 100), feedback('external_id', 41.25)],
    diagnostics: [
      { name: 'Server sending invalid match keys', description: 'Some hashes are malformed.', solution: 'Check hashing.', percentage: 1.5, affected_event_count: 15, total_event_count: 1000 },
    ],
  },
  event_coverage: { percentage: 71.3, goal_percentage: 75, description: 'Share of pixel events also sent by server.', potential_aly_acr_increase: increase(12) },
  dedupe_key_feedback: [
    {
      dedupe_key: 'event_id',
      browser_events_with_dedupe_key: { percentage: 92.4, description: 'Browser events with an event id' },
      server_events_with_dedupe_key: { percentage: 100, description: 'Server events with an event id' },
      overall_browser_coverage_from_dedupe_key: { percentage: 88.1, description: 'Coverage from event id' },
    },
  ],
  data_freshness: { upload_frequency: 'real_time', description: 'Events are sent in real time' },
  acr: increase(8.4),
  event_potential_aly_acr_increase: increase(15),
};

const without = (row: Json, names: readonly string[]): Json => Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name)));

const LEAD: Json = { ...without(FULL, ['event_coverage', 'dedupe_key_feedback', 'acr']), event_name: 'Lead', event_match_quality: { composite_score: 4.9, match_key_feedback: [feedback('email', 100)] } };
const BARE: Json = { event_name: 'ViewContent' };
/** A score without feedback. */
const SCORED: Json = { event_name: 'AddToCart', event_match_quality: { composite_score: 3 }, event_coverage: { percentage: 12 } };

/** The first pixel shows every degree of fullness, the second has had no web events, the third has no `web` at all. */
const QUALITY: Readonly<Record<string, Json>> = {
  [SEED.meta.pixels[0]]: { web: [FULL, LEAD, SCORED, BARE] },
  [SEED.meta.pixels[1]]: { web: [] },
  [SEED.meta.pixels[2]]: {},
};

/** What may be asked for below `web`; `dedup_key_feedback` is a slip of Meta's own table. */
const SHAPE: Readonly<Record<string, unknown>> = { web: FULL, offline: { event_name: '', composite: { score: 0 } } };

/** `GET /dataset_quality`, a node of its own: no edge of the dataset. */
export function qualityAnswer(params: { readonly datasetId: string | undefined; readonly fields: string | undefined }, core: SandboxCore): Json | Refusal {
  const { datasetId, fields } = params;
  if (datasetId === undefined || datasetId === '') return badParameter('The parameter dataset_id is required');
  if (!/^\d+$/.test(datasetId)) return badParameter('Param dataset_id must be a valid dataset id');
  if (listed(core.switchOf<string>('meta.qualityForbidden', '')).includes(datasetId)) return permissionRefusal;
  const known = QUALITY[datasetId];
  if (known === undefined) return unknownDataset(core.switchOf<'code' | 'subcode'>('meta.qualityUnknownAs', 'code'));
  const picks = fields === undefined ? [] : parseFields(fields);
  if (picks === undefined) return badParameter('Syntax error in the fields parameter');
  const stranger = unknownField(picks, SHAPE, 'AdsPixelDatasetQuality');
  if (stranger !== undefined) return stranger;
  const left = listed(core.switchOf<string>('meta.qualityWithout', ''));
  return pruned(project(known, picks), left);
}

export const permissionRefusal: Refusal = { status: 403, type: 'OAuthException', code: 10, message: '(#10) Application does not have permission for this action' };

/** The documents list 2044055 as an error of the call without saying in which of the two members it comes. */
function unknownDataset(as: 'code' | 'subcode'): Refusal {
  const message = 'Dataset does not exist';
  if (as === 'code') return { status: 400, type: 'OAuthException', code: 2_044_055, message: `(#2044055) ${message}`, transient: false };
  return { status: 400, type: 'OAuthException', code: 100, subcode: 2_044_055, message: 'Invalid parameter', transient: false, title: message, userMessage: message };
}

function unknownField(picks: readonly FieldPick[], shape: unknown, type: string): Refusal | undefined {
  const sample: unknown = Array.isArray(shape) ? shape[0] : shape;
  for (const { name, fields } of picks) {
    const member: unknown = typeof sample === 'object' && sample !== null ? (sample as Json)[name] : undefined;
    if (member === undefined) return badParameter(`Tried accessing nonexisting field (${name}) on node type (${type})`);
    const inner = fields && unknownField(fields, member, type);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

/** A struct without braces comes whole; what is absent stays absent. */
function project(value: Json, picks: readonly FieldPick[]): Json {
  const found: Record<string, unknown> = {};
  for (const { name, fields } of picks) {
    const member = value[name];
    if (member === undefined) continue;
    if (fields === undefined) found[name] = member;
    else if (Array.isArray(member)) found[name] = member.map((entry: Json) => project(entry, fields));
    else found[name] = project(member as Json, fields);
  }
  return found;
}

function pruned(value: Json, names: readonly string[]): Json {
  const kept: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    if (names.includes(name)) continue;
    if (Array.isArray(member)) kept[name] = member.map((entry: unknown) => (typeof entry === 'object' && entry !== null ? pruned(entry as Json, names) : entry));
    else kept[name] = typeof member === 'object' && member !== null ? pruned(member as Json, names) : member;
  }
  return kept;
}
