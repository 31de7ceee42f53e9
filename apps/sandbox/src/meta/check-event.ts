import { messagingFault } from '../whatsapp/check-messaging.ts';
import { contentsFault, customShapeFault, purchaseFault } from './check-custom-data.ts';
import { fewKeysFault, hashFault, leadIdFault, userShapeFault } from './check-user-data.ts';
import { BLANK_OS_VERSION, invalidFault, pathOf, requiredFault, TOO_OLD, unexpectedKey } from './errors.ts';
import type { EventFault } from './errors.ts';
import { isAbsent, isKind, isObject, KIND_TEXTS } from './kinds.ts';
import type { Json } from './kinds.ts';
import type { Behaviour } from './behaviour.ts';
import { ACTION_SOURCES, CUSTOMER_SEGMENTS, EVENT_FIELDS, isLduState, REQUIRED_EVENT_FIELDS } from './vocabulary.ts';

const DAY_SECONDS = 86_400;
/** Meta: at most 7 days old, else the whole request fails. https://developers.facebook.com/documentation/ads-commerce/conversions-api/parameters/server-event */
const MAX_AGE_DAYS = 7;
const EXTINFO_ENTRIES = 16;
const NOTHING: Json = {};

const customOf = (event: Json) => (isObject(event['custom_data']) ? event['custom_data'] : NOTHING);

function memberFault(event: Json, index: number): EventFault | undefined {
  for (const key in event) {
    const kind = EVENT_FIELDS.get(key);
    if (kind === undefined) return unexpectedKey(key, pathOf(index));
    const value = event[key];
    if (!isAbsent(value) && !isKind(value, kind)) return invalidFault(pathOf(index, key), KIND_TEXTS[kind]);
  }
  for (const key of REQUIRED_EVENT_FIELDS) {
    if (isAbsent(event[key]) || event[key] === '') return requiredFault(pathOf(index, key));
  }
  return undefined;
}

function sourceFault(event: Json, index: number, behaviour: Behaviour): EventFault | undefined {
  const source = event['action_source'] as string;
  if (!ACTION_SOURCES.has(source)) return invalidFault(pathOf(index, 'action_source'), `one of ${[...ACTION_SOURCES].join(', ')}`);
  if (source === 'business_messaging') return channelFault(event['messaging_channel'], index);
  if (source !== 'website') return undefined;
  if (behaviour.websiteNeedsUrl && isAbsent(event['event_source_url'])) return requiredFault(pathOf(index, 'event_source_url'));
  if (behaviour.strictWebsite && isAbsent((event['user_data'] as Json)['client_user_agent'])) {
    return requiredFault(pathOf(index, 'user_data', 'client_user_agent'));
  }
  return undefined;
}

function channelFault(channel: unknown, index: number): EventFault | undefined {
  if (isAbsent(channel)) return requiredFault(pathOf(index, 'messaging_channel'));
  // Messenger and Instagram exist as well, with identifiers of their own that are not emulated.
  return channel === 'whatsapp' ? undefined : invalidFault(pathOf(index, 'messaging_channel'), 'whatsapp');
}

function optionsFault(event: Json, index: number): EventFault | undefined {
  const { data_processing_options: options, data_processing_options_country: country, data_processing_options_state: state } = event;
  if (Array.isArray(options) && options.some((option) => option !== 'LDU')) {
    return invalidFault(pathOf(index, 'data_processing_options'), 'empty or ["LDU"]');
  }
  if (!isAbsent(country) && country !== 0 && country !== 1) return invalidFault(pathOf(index, 'data_processing_options_country'), '0 or 1');
  if (!isAbsent(country) && isAbsent(state)) return requiredFault(pathOf(index, 'data_processing_options_state'));
  if (!isAbsent(state) && !isLduState(state)) return invalidFault(pathOf(index, 'data_processing_options_state'), '0 or 1000 to 1013');
  const segment = event['customer_segmentation'];
  if (typeof segment === 'string' && !CUSTOMER_SEGMENTS.has(segment)) {
    return invalidFault(pathOf(index, 'customer_segmentation'), `one of ${[...CUSTOMER_SEGMENTS].join(', ')}`);
  }
  return undefined;
}

function shapeFaultOf(event: Json, index: number, behaviour: Behaviour): EventFault | undefined {
  return (
    memberFault(event, index) ??
    sourceFault(event, index, behaviour) ??
    optionsFault(event, index) ??
    userShapeFault(event['user_data'] as Json, index, behaviour.strictIp) ??
    customShapeFault(customOf(event), index)
  );
}

function timeFault(event: Json, behaviour: Behaviour): EventFault | 'future' | undefined {
  const at = event['event_time'] as number;
  if (at > behaviour.nowSeconds + behaviour.futureSeconds) return 'future';
  const maxDays = event['action_source'] === 'physical_store' ? behaviour.physicalStoreDays : MAX_AGE_DAYS;
  if (at >= behaviour.nowSeconds - maxDays * DAY_SECONDS) return undefined;
  return { subcode: TOO_OLD, text: `The timestamp for this event is too old. Events must be sent within ${maxDays} days of when they occurred.` };
}

function appFault(event: Json, index: number): EventFault | undefined {
  if (event['action_source'] !== 'app') return undefined;
  const app = event['app_data'];
  if (!isObject(app)) return requiredFault(pathOf(index, 'app_data'));
  const extinfo = app['extinfo'];
  if (isAbsent(extinfo)) return requiredFault(pathOf(index, 'app_data', 'extinfo'));
  if (!Array.isArray(extinfo) || extinfo.length !== EXTINFO_ENTRIES || (extinfo[0] !== 'a2' && extinfo[0] !== 'i2')) {
    return invalidFault(pathOf(index, 'app_data', 'extinfo'), `a list of ${EXTINFO_ENTRIES} entries that starts with a2 or i2`);
  }
  if (String(extinfo[4] ?? '').trim() !== '') return undefined;
  return { subcode: BLANK_OS_VERSION, text: 'The OS version in extinfo must not be blank.' };
}

/** Keys, purchase, lead, app: what is asked of all events but messaging ones, which have rules of their own. */
function contentFault(event: Json, index: number): EventFault | undefined {
  const user = event['user_data'] as Json;
  return fewKeysFault(user) ?? purchaseFault(event['event_name'], customOf(event)) ?? leadIdFault(user) ?? appFault(event, index);
}

/**
 * The first thing wrong with one event, in this order: shape, time, hashes, contents, then the rest. Meta documents none; an 8 days old event with a user agent alone answered 2804003, so time precedes keys. `'future'` has no subcode of its own.
 */
export function eventFault(event: unknown, index: number, behaviour: Behaviour): EventFault | 'future' | undefined {
  if (!isObject(event)) return invalidFault(pathOf(index), 'an object');
  const shape = shapeFaultOf(event, index, behaviour);
  if (shape !== undefined) return shape;
  return (
    timeFault(event, behaviour) ??
    hashFault(event['user_data'] as Json) ??
    contentsFault(customOf(event)) ??
    (event['action_source'] === 'business_messaging' ? messagingFault(event, behaviour.messaging) : contentFault(event, index))
  );
}
