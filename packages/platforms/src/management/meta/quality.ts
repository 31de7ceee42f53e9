import { asObject, asText, type JsonObject } from '../../http/json.ts';
import { parseMetaDestination } from '../../meta/index.ts';
import { LocalRuleError } from '../errors.ts';
import { graphGet, objectsIn, type MetaContext } from './call.ts';

export interface QualityRow {
  readonly eventName: string;
  /** Event Match Quality, 0 to 10. */
  readonly compositeScore?: number;
  readonly matchKeys: readonly { readonly identifier: string; readonly coveragePercentage?: number }[];
  /** Share of the pixel's events that also came through the API. */
  readonly eventCoveragePercentage?: number;
}

/** https://developers.facebook.com/documentation/ads-commerce/conversions-api/dataset-quality-api (read 2026-09-12) */
const FIELDS =
  'web{event_name,event_match_quality{composite_score,match_key_feedback{identifier,coverage{percentage}}},event_coverage{percentage}}';

/**
 * Event Match Quality of a dataset, by event name. `dataset_quality` is a node of its own, not an edge of the dataset. Meta
 * rates web events only, and leaves out every part for which it has seen too little.
 */
export async function getQuality(ctx: MetaContext, datasetId: string): Promise<readonly QualityRow[]> {
  const parsed = parseMetaDestination(datasetId);
  if (!parsed.ok) throw new LocalRuleError('destinationId', parsed.message, 'invalid_destination');
  const body = await graphGet(ctx, 'dataset_quality', { dataset_id: parsed.destinationId, fields: FIELDS });
  return objectsIn(body['web'])
    .map(readRow)
    .filter((row) => row !== undefined)
    .sort((one, other) => (one.eventName < other.eventName ? -1 : Number(one.eventName > other.eventName)));
}

function readRow(entry: JsonObject): QualityRow | undefined {
  const eventName = asText(entry['event_name']);
  if (eventName === undefined) return undefined;
  const quality = asObject(entry['event_match_quality']);
  const compositeScore = asNumber(quality?.['composite_score']);
  const eventCoveragePercentage = asNumber(asObject(entry['event_coverage'])?.['percentage']);
  return {
    eventName,
    ...(compositeScore !== undefined && { compositeScore }),
    matchKeys: objectsIn(quality?.['match_key_feedback']).map(readMatchKey).filter((key) => key !== undefined),
    ...(eventCoveragePercentage !== undefined && { eventCoveragePercentage }),
  };
}

function readMatchKey(feedback: JsonObject): QualityRow['matchKeys'][number] | undefined {
  const identifier = asText(feedback['identifier']);
  if (identifier === undefined) return undefined;
  const coveragePercentage = asNumber(asObject(feedback['coverage'])?.['percentage']);
  return { identifier, ...(coveragePercentage !== undefined && { coveragePercentage }) };
}

function asNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}
