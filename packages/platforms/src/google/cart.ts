import type { ConversionEvent } from '@relay/contract';

type Items = NonNullable<ConversionEvent['items']>;

interface CartItem {
  merchantProductId?: string;
  /** An int64, which proto3 JSON writes as text. */
  quantity?: string;
  unitPrice?: number;
}

/** `items` as `cartData.items`; `name` and `category` have no place at Google. */
export function cartData(
  items: Items | undefined,
  passed: Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<string, unknown>> | undefined {
  const lines = items === undefined ? [] : items.map(cartItem).filter((line) => line !== undefined);
  if (lines.length === 0) return passed;
  return { ...passed, items: lines };
}

function cartItem(item: Items[number]): CartItem | undefined {
  const line: CartItem = {};
  if (item.id !== undefined && item.id !== '') line.merchantProductId = item.id;
  // "1.5" is no int64 and would fail the whole request: 1.5 kg go without their number.
  if (item.quantity !== undefined && Number.isSafeInteger(item.quantity)) line.quantity = String(item.quantity);
  if (item.price !== undefined && Number.isFinite(item.price)) line.unitPrice = item.price;
  return line.merchantProductId === undefined && line.quantity === undefined && line.unitPrice === undefined ? undefined : line;
}
