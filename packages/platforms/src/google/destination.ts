import type { ParsedDestination } from '@relay/contract';

/** With the hyphens of Google's user interface or without. Ids are 64-bit, so at most 19 digits. */
const RESOURCE_NAME = /^customers\/(\d{3}-\d{3}-\d{4}|\d{10})\/conversionActions\/(\d{1,19})$/;

export function parseDestination(destinationId: string): ParsedDestination {
  const match = destinationId.length > 100 ? null : RESOURCE_NAME.exec(destinationId.trim());
  const customer = match?.[1];
  const action = match?.[2];
  if (customer === undefined || action === undefined) {
    return {
      ok: false,
      message:
        'destinationId has to be the resource name of a Google Ads conversion action, customers/{10 digits}/conversionActions/{digits}, ' +
        'as the list of conversion destinations gives it.',
    };
  }
  return { ok: true, destinationId: `customers/${customer.replaceAll('-', '')}/conversionActions/${action}` };
}

/** The two ids in a canonical destination id. */
export function partsOf(destinationId: string): { readonly customerId: string; readonly actionId: string } {
  const [, customerId = '', , actionId = ''] = destinationId.split('/');
  return { customerId, actionId };
}
