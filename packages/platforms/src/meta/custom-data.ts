import type { ConversionEvent, ItemResult, RefusalCode } from '@relay/contract';
import { isCurrency } from '../identity/iso.ts';

/** One line of `contents`. An item's `name` is left out: Meta refuses the whole batch for it (100/2804019). */
interface Content {
  id?: string;
  quantity?: number;
  item_price?: number;
}

export type CustomData = Record<string, unknown>;

/** The caller's `platformData`, then what the relay builds, which wins. `undefined`: nothing to say. */
export function customDataOf(event: ConversionEvent): CustomData | undefined {
  const { value, currency, platformData } = event;
  const items = event.items !== undefined && event.items.length > 0 ? event.items : undefined;
  if (value === undefined && currency === undefined && items === undefined && platformData === undefined) return undefined;
  const data: CustomData = platformData === undefined ? {} : { ...platformData };
  if (value !== undefined) data['value'] = value;
  if (currency !== undefined) data['currency'] = currency.trim().toUpperCase();
  if (items !== undefined) addItems(data, items);
  return data;
}

function addItems(data: CustomData, items: NonNullable<ConversionEvent['items']>): void {
  const contents: Content[] = [];
  let count = 0;
  for (const item of items) {
    const content: Content = {};
    if (item.id !== undefined) content.id = item.id;
    if (item.quantity !== undefined) content.quantity = item.quantity;
    if (item.price !== undefined) content.item_price = item.price;
    contents.push(content);
    count += item.quantity ?? 1;
  }
  data['contents'] = contents;
  // `num_items` is an integer; where quantities are weights or returns, the lines are what can be counted.
  data['num_items'] = Number.isSafeInteger(count) && count > 0 ? count : items.length;
}

type Refused = Extract<ItemResult, { kind: 'refused' }>;

function refused(code: RefusalCode, message: string): Refused {
  return { kind: 'refused', code, message };
}

const CURRENCY_INVALID = refused('currency_invalid', 'currency is not an ISO 4217 code; send three letters such as "USD" or "EUR".');
const VALUE_MISSING = refused('value_missing', 'value is missing; Meta takes a Purchase only with value and currency. Send value as a number.');
const CURRENCY_MISSING = refused('currency_missing', 'currency is missing; Meta takes a Purchase only with value and currency. Send currency as an ISO 4217 code.');
const VALUE_INVALID = refused('value_invalid', 'platformData.value is not a number; send the amount in value, as a number.');
const CONTENTS_INVALID = refused('field_invalid', 'platformData.contents is not a list of objects, which Meta refuses; send the products in items, or contents as [{"id", "quantity", "item_price"}].');
const CONTENTS_KEY_UNKNOWN = refused(
  'field_invalid',
  'platformData.contents holds a key that Meta refuses; it takes id, quantity, item_price, delivery_category, title, description, brand, category and price. Put other keys beside contents.',
);

/** What Meta is certain to refuse the event for, with its whole batch (100/2804008, 2804009, 2804010, 2804019). */
export function customDataFault(event: ConversionEvent, data: CustomData | undefined): Refused | undefined {
  const currency = data?.['currency'] ?? undefined;
  if (currency !== undefined && !isCurrencyText(currency)) return CURRENCY_INVALID;
  const value = data?.['value'] ?? undefined;
  if (value !== undefined && !isAmount(value)) return VALUE_INVALID;
  if (event.eventName === 'Purchase') {
    if (value === undefined) return VALUE_MISSING;
    if (currency === undefined) return CURRENCY_MISSING;
  }
  return event.platformData === undefined ? undefined : platformDataFault(event.platformData, event.items);
}

function platformDataFault(platformData: CustomData, items: ConversionEvent['items']): Refused | undefined {
  const isReplaced = items !== undefined && items.length > 0;
  return isReplaced ? undefined : contentsFault(platformData['contents'] ?? undefined);
}

function isCurrencyText(value: unknown): boolean {
  return typeof value === 'string' && isCurrency(value.toUpperCase());
}

/** A number, or a text of one, as Meta's documents show both. Negative amounts are nowhere said to be refused, so they go. */
function isAmount(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value));
}

/** https://developers.facebook.com/documentation/ads-commerce/conversions-api/parameters/custom-data and …/offline-events (read 2026-09-12), and Meta's Node SDK 24.0.1. */
const CONTENT_KEYS: ReadonlySet<string> = new Set(['id', 'quantity', 'item_price', 'delivery_category', 'title', 'description', 'brand', 'category', 'price']);

function contentsFault(contents: unknown): Refused | undefined {
  if (contents === undefined) return undefined;
  if (!Array.isArray(contents)) return CONTENTS_INVALID;
  for (const content of contents as readonly unknown[]) {
    if (typeof content !== 'object' || content === null || Array.isArray(content)) return CONTENTS_INVALID;
    for (const key of Object.keys(content)) if (!CONTENT_KEYS.has(key)) return CONTENTS_KEY_UNKNOWN;
  }
  return undefined;
}
