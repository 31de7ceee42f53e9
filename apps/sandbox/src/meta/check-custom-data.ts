import { BAD_CONTENTS, invalidFault, NO_CURRENCY, NO_VALUE, pathOf, unexpectedKey } from './errors.ts';
import type { EventFault } from './errors.ts';
import { isAbsent, isKind, isNumeric, isObject, KIND_TEXTS } from './kinds.ts';
import type { Json } from './kinds.ts';
import { CONTENT_KEYS, CONTENT_TYPES, CUSTOM_FIELDS, DELIVERY_CATEGORIES } from './vocabulary.ts';

/** Lower case was accepted live. */
const CURRENCY = /^[A-Za-z]{3}$/;

function amountFault(custom: Json, index: number): EventFault | undefined {
  const { value, currency } = custom;
  if (!isAbsent(value) && !isNumeric(value)) return invalidFault(pathOf(index, 'custom_data', 'value'), 'a number');
  if (!isAbsent(currency) && !(typeof currency === 'string' && CURRENCY.test(currency))) {
    return invalidFault(pathOf(index, 'custom_data', 'currency'), 'an ISO 4217 currency code');
  }
  return undefined;
}

function memberFault(custom: Json, index: number): EventFault | undefined {
  for (const key in custom) {
    const kind = CUSTOM_FIELDS.get(key);
    const value = custom[key];
    if (kind !== undefined && !isAbsent(value) && !isKind(value, kind)) {
      return invalidFault(pathOf(index, 'custom_data', key), KIND_TEXTS[kind]);
    }
  }
  const { content_type: contentType, delivery_category: delivery } = custom;
  if (typeof contentType === 'string' && !CONTENT_TYPES.has(contentType)) {
    return invalidFault(pathOf(index, 'custom_data', 'content_type'), `one of ${[...CONTENT_TYPES].join(', ')}`);
  }
  if (typeof delivery === 'string' && !DELIVERY_CATEGORIES.has(delivery)) {
    return invalidFault(pathOf(index, 'custom_data', 'delivery_category'), `one of ${[...DELIVERY_CATEGORIES].join(', ')}`);
  }
  return undefined;
}

function contentKeyFault(custom: Json, index: number): EventFault | undefined {
  const { contents } = custom;
  if (!Array.isArray(contents)) return undefined;
  for (let at = 0; at < contents.length; at += 1) {
    const content: unknown = contents[at];
    if (!isObject(content)) continue; // not a list of objects: that is 2804008, later in the order
    for (const key in content) {
      if (!CONTENT_KEYS.has(key)) return unexpectedKey(key, pathOf(index, 'custom_data', 'contents', at));
    }
  }
  return undefined;
}

export function customShapeFault(custom: Json, index: number): EventFault | undefined {
  return memberFault(custom, index) ?? amountFault(custom, index) ?? contentKeyFault(custom, index);
}

function isContent(content: unknown): boolean {
  if (!isObject(content)) return false;
  const { id, quantity, item_price: price } = content;
  return (isAbsent(id) || isKind(id, 'id')) && (isAbsent(quantity) || isNumeric(quantity)) && (isAbsent(price) || isNumeric(price));
}

export function contentsFault(custom: Json): EventFault | undefined {
  const { contents } = custom;
  if (isAbsent(contents) || (Array.isArray(contents) && contents.every(isContent))) return undefined;
  return { subcode: BAD_CONTENTS, text: 'The contents parameter must be a list of objects with the keys id, quantity and item_price.' };
}

/** Value first, then currency. Zero is a value. */
export function purchaseFault(eventName: unknown, custom: Json): EventFault | undefined {
  if (eventName !== 'Purchase') return undefined;
  if (isAbsent(custom['value'])) return { subcode: NO_VALUE, text: 'Your purchase event needs a value parameter.' };
  if (isAbsent(custom['currency'])) return { subcode: NO_CURRENCY, text: 'Your purchase event needs a currency parameter.' };
  return undefined;
}
