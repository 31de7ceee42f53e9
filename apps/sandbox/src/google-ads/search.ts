import { createHash } from 'node:crypto';

import { resourceNameOf } from '../google/actions.ts';
import type { ActionStore, ConversionAction } from '../google/actions.ts';
import { CUSTOMERS } from '../google/customers.ts';
import type { Customer } from '../google/customers.ts';
import { badRequest, requestFault } from './errors.ts';
import type { AdsRefusal } from './errors.ts';
import { compareRows, parseQuery, satisfies } from './gaql.ts';
import type { Query, Row } from './gaql.ts';
import type { AdsSettings } from './settings.ts';
import type { SearchRequest } from './shapes.ts';
import { tagSnippetsOf } from './tag-snippets.ts';

/** What a query may select, per resource; keys are the query's names. `undefined` values stay out of the answer. */
function actionRow(action: ConversionAction): Row {
  return {
    'conversion_action.resource_name': resourceNameOf(action),
    'conversion_action.id': action.id,
    'conversion_action.name': action.name,
    'conversion_action.type': action.type,
    'conversion_action.status': action.status,
    'conversion_action.category': action.category,
    'conversion_action.origin': 'WEBSITE',
    'conversion_action.primary_for_goal': action.primaryForGoal,
    'conversion_action.counting_type': action.countingType,
    'conversion_action.owner_customer': `customers/${action.customerId}`,
    'conversion_action.include_in_conversions_metric': action.primaryForGoal,
    'conversion_action.click_through_lookback_window_days': action.clickThroughLookbackWindowDays,
    'conversion_action.view_through_lookback_window_days': action.viewThroughLookbackWindowDays,
    'conversion_action.value_settings.default_value': action.valueSettings.defaultValue,
    'conversion_action.value_settings.default_currency_code': action.valueSettings.defaultCurrencyCode,
    'conversion_action.value_settings.always_use_default_value': action.valueSettings.alwaysUseDefaultValue,
    'conversion_action.tag_snippets': tagSnippetsOf(action),
  };
}

const statusOf = (customer: Customer) => (customer.enabled ? 'ENABLED' : 'CANCELED');

function customerRow(customer: Customer): Row {
  return {
    'customer.resource_name': `customers/${customer.id}`,
    'customer.id': customer.id,
    'customer.descriptive_name': customer.name,
    'customer.manager': customer.manager === true,
    'customer.status': statusOf(customer),
    'customer.currency_code': 'EUR',
    'customer.time_zone': 'Europe/Berlin',
    'customer.test_account': false,
  };
}

/** A manager sees itself (level 0) and its clients; anybody else only itself. */
function clientRow(customer: Customer, ownId: string): Row {
  return {
    'customer_client.resource_name': `customers/${ownId}/customerClients/${customer.id}`,
    'customer_client.client_customer': `customers/${customer.id}`,
    'customer_client.id': customer.id,
    'customer_client.level': customer.id === ownId ? '0' : '1',
    'customer_client.manager': customer.manager === true,
    'customer_client.status': statusOf(customer),
    'customer_client.descriptive_name': customer.name,
    'customer_client.currency_code': 'EUR',
    'customer_client.hidden': false,
    'customer_client.test_account': false,
  };
}

const SAMPLE: Customer = { id: '0', name: '', direct: true, enabled: true };
const KNOWN_FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  conversion_action: new Set(Object.keys(actionRow({ ...emptyAction() }))),
  customer: new Set(Object.keys(customerRow(SAMPLE))),
  customer_client: new Set(Object.keys(clientRow(SAMPLE, '0'))),
};

function emptyAction(): ConversionAction {
  const windows = { clickThroughLookbackWindowDays: '30', viewThroughLookbackWindowDays: '1' };
  const value = { valueSettings: { defaultValue: 1, alwaysUseDefaultValue: false } };
  return { customerId: '0', id: '0', name: '', type: '', status: '', category: '', countingType: '', primaryForGoal: true, createdAtMs: 0, ...windows, ...value };
}

function rowsOf(from: string, customerId: string, actions: ActionStore): readonly Row[] {
  if (from === 'conversion_action') return actions.list(customerId).map(actionRow);
  const own = CUSTOMERS.filter(({ id }) => id === customerId);
  if (from === 'customer') return own.map(customerRow);
  return [...own, ...CUSTOMERS.filter(({ managerId }) => managerId === customerId)].map((customer) => clientRow(customer, customerId));
}

function queryFault({ from, fields, conditions, orderBy }: Query): AdsRefusal | undefined {
  const known = KNOWN_FIELDS[from];
  if (known === undefined) {
    return badRequest({ category: 'queryError', code: 'BAD_RESOURCE_TYPE_IN_FROM_CLAUSE', message: `Error in FROM clause: '${from}' is not a valid resource name.` });
  }
  const used = [...fields, ...conditions.map(({ field }) => field), ...orderBy.map(({ field }) => field)];
  const unknown = used.find((field) => !known.has(field));
  if (unknown === undefined) return undefined;
  return badRequest({ category: 'queryError', code: 'UNRECOGNIZED_FIELD', message: `Unrecognized field in the query: '${unknown}'.` });
}

const camel = (name: string) => name.replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());

/** `conversion_action.value_settings.default_value` → `{ conversionAction: { valueSettings: { defaultValue } } }`. */
function resultOf(row: Row, fields: readonly string[]): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const field of fields) {
    const value = row[field];
    if (value === undefined) continue;
    const path = field.split('.').map(camel);
    let place = result;
    for (const part of path.slice(0, -1)) place = (place[part] ??= {}) as Record<string, unknown>; // only objects are put there
    place[path.at(-1) ?? ''] = value;
  }
  return result;
}

const PAGE_TOKEN = /^(\d+)\.([0-9a-f]{12})$/;
const digestOf = (query: string) => createHash('sha256').update(query).digest('hex').slice(0, 12);

/** `googleAds:search`. Pages have a fixed size; a token fits only the query it was given for. */
export function search(body: SearchRequest, { customerId, actions, settings }: { readonly customerId: string; readonly actions: ActionStore; readonly settings: AdsSettings }) {
  if (body.pageSize !== undefined) {
    return badRequest(requestFault('PAGE_SIZE_NOT_SUPPORTED', 'Setting the page size is not supported. Search Response will have fixed page size of 10000 rows.'));
  }
  const text = body.query ?? '';
  const query = parseQuery(text);
  if ('status' in query) return query;
  const fault = queryFault(query);
  if (fault !== undefined) return fault;
  const token = body.pageToken ? PAGE_TOKEN.exec(Buffer.from(body.pageToken, 'base64url').toString()) : undefined;
  if (token === null || (token !== undefined && token[2] !== digestOf(text))) return badRequest(requestFault('INVALID_PAGE_TOKEN', 'Invalid page token.'));
  const start = Number(token?.[1] ?? 0);
  const matching = rowsOf(query.from, customerId, actions)
    .filter((row) => query.conditions.every((condition) => satisfies(row, condition)))
    .toSorted((left, right) => compareRows(left, right, query.orderBy))
    .slice(0, query.limit);
  // The resource's own name comes back unasked.
  const fields = [...new Set([`${query.from}.resource_name`, ...query.fields])];
  const results = matching.slice(start, start + settings.pageSize).map((row) => resultOf(row, fields));
  const more = start + settings.pageSize < matching.length;
  return {
    body: {
      // An empty list is left out, as everywhere in proto3 JSON.
      ...(results.length > 0 || settings.emptyResults === 'list' ? { results } : {}),
      ...(more ? { nextPageToken: Buffer.from(`${start + settings.pageSize}.${digestOf(text)}`).toString('base64url') } : {}),
      fieldMask: query.fields.map((field) => field.split('.').map(camel).join('.')).join(','),
    },
  };
}
