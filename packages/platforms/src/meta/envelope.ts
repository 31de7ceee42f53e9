import type { InboundReply } from '@relay/contract';
import { asList, asObject, readJson, type JsonObject } from '../http/json.ts';
import { maskedText } from '../identity/mask.ts';

/** What Graph said is wrong. `{"error": {…}}`: https://developers.facebook.com/docs/graph-api/guides/error-handling (read 2026-09-12) */
export interface MetaError {
  readonly code: number | undefined;
  readonly subcode: number | undefined;
  readonly type: string;
  readonly isTransient: boolean;
  /** Masked, at most 500 characters. */
  readonly said: string;
  /** All that may name an event, unmasked: for looking up indices only. */
  readonly places: string;
  /** Whether Graph's own (never localised) message speaks of the app secret's proof. */
  readonly isAboutProof: boolean;
}

export interface MetaReply {
  /** `undefined`: the body holds no error object. */
  readonly error: MetaError | undefined;
  /** `undefined`: the body does not say. */
  readonly eventsReceived: number | undefined;
  readonly messages: readonly string[];
  readonly traceId: string | undefined;
}

/** No answer of this endpoint is near this long; a longer one is some proxy's page. */
const MAX_BODY_LENGTH = 1_000_000;

export function readEnvelope(reply: InboundReply): MetaReply {
  const body = reply.body.length > MAX_BODY_LENGTH ? undefined : asObject(readJson(reply.body));
  const error = asObject(body?.['error']);
  const received = body?.['events_received'];
  return {
    error: error === undefined ? undefined : readError(error),
    eventsReceived: typeof received === 'number' && Number.isInteger(received) ? received : undefined,
    messages: asList(body?.['messages']).slice(0, 10).filter(isText).map((text) => maskedText(text)),
    traceId: traceOf(error?.['fbtrace_id']) ?? traceOf(body?.['fbtrace_id']) ?? traceOf(reply.headers['x-fb-trace-id']),
  };
}

function readError(error: JsonObject): MetaError {
  const message = textOf(error['message']);
  const title = textOf(error['error_user_title']);
  const userMessage = textOf(error['error_user_msg']);
  const forPeople = [title, userMessage].filter((text) => text !== '').join(': ');
  return {
    code: integerOf(error['code']),
    subcode: integerOf(error['error_subcode']),
    type: textOf(error['type']),
    isTransient: error['is_transient'] === true,
    said: maskedText([forPeople, message].filter((text) => text !== '').join(' · ')),
    places: [userMessage, title, message, ...blamedFields(error['error_data'])].join('\n'),
    isAboutProof: message.includes('appsecret_proof'),
  };
}

/** `error_data.blame_field_specs`: a list of paths, each a list of keys. `error_data` comes as an object or as its JSON. */
function blamedFields(errorData: unknown): readonly string[] {
  const data = asObject(typeof errorData === 'string' ? readJson(errorData) : errorData);
  return asList(data?.['blame_field_specs'])
    .slice(0, 1000)
    .flatMap((path) => (Array.isArray(path) ? asList(path).slice(0, 20) : [path]))
    .filter(isText);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** Longer than any message in use, short enough to search and mask without care. */
function textOf(value: unknown): string {
  return isText(value) ? value.slice(0, 20_000).trim() : '';
}

function traceOf(value: unknown): string | undefined {
  return isText(value) && value !== '' && value.length <= 100 ? value : undefined;
}

/** Some gateways turn numbers into texts. */
function integerOf(value: unknown): number | undefined {
  const number = isText(value) && /^-?\d{1,9}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined;
}
