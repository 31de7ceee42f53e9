import type { EventInput } from './request-shape.ts';

export interface FieldWarning {
  readonly field: string;
  readonly description: string;
  readonly reason: string;
}

/** Things an accepted event is told about; nothing here keeps it from being taken. */
export function warningsOf(events: readonly EventInput[], eventsPath: string): readonly FieldWarning[] {
  const warnings: FieldWarning[] = [];
  for (const [index, event] of events.entries()) {
    if (event.cartData) addCartWarnings(event, `${eventsPath}[${index}].cart_data`, warnings);
  }
  return warnings;
}

function addCartWarnings(event: EventInput, path: string, warnings: FieldWarning[]): void {
  const add = (field: string, description: string, reason: string): void => {
    warnings.push({ field, description, reason: `WARNING_REASON_${reason}` });
  };
  if (event.adIdentifiers?.gbraid || event.adIdentifiers?.wbraid) {
    add(path, 'Cart data is not supported with gbraid or wbraid.', 'CART_DATA_NOT_SUPPORTED_WITH_GBRAID_OR_WBRAID');
  }
  for (const [index, item] of (event.cartData?.items ?? []).entries()) {
    if (!item.merchantProductId) add(`${path}.items[${index}].merchant_product_id`, 'The product id is missing.', 'CART_DATA_ITEM_MERCHANT_PRODUCT_ID_MISSING');
    if (item.unitPrice === undefined) add(`${path}.items[${index}].unit_price`, 'The unit price is missing.', 'CART_DATA_ITEM_UNIT_PRICE_MISSING');
  }
}
