import { asCode, asList, asObject, asText } from '../../http/json.ts';
import { REPEATABLE } from '../context.ts';
import { LocalRuleError } from '../errors.ts';
import { gatherWays, type Listing, type Source } from '../gather.ts';
import { compareIds } from '../management.ts';
import { adsCall, adsSearch, customerIdOf, type GoogleContext } from './call.ts';

export interface Customer {
  readonly id: string;
  readonly isManager: boolean;
}

/**
 * The customers that the account can use, sorted: the clients of its manager (`loginCustomerId`) at all levels, and those that
 * `listAccessibleCustomers` names, which are the ones with direct access.
 */
export async function reachableCustomers(ctx: GoogleContext): Promise<Listing<Customer>> {
  const managerId = ctx.credentials.loginCustomerId;
  const direct: Source<Customer> = { name: 'customers with direct access', list: () => directCustomers(ctx) };
  const ways = managerId === undefined ? [direct] : [{ name: `clients of manager ${managerId}`, list: () => clientsOf(ctx, managerId) }, direct];
  const { items, warnings } = await gatherWays(ways);
  const byId = new Map<string, Customer>();
  // Clients come first, and only they are known to be managers or not.
  for (const customer of items) if (!byId.has(customer.id)) byId.set(customer.id, customer);
  return { items: [...byId.values()].sort((one, other) => compareIds(one.id, other.id)), warnings };
}

async function directCustomers(ctx: GoogleContext): Promise<Listing<Customer>> {
  const answer = await adsCall(ctx, 'customers:listAccessibleCustomers', undefined, REPEATABLE);
  const ids = asList(answer['resourceNames']).map((name) => /^customers\/(\d{10})$/.exec(asText(name) ?? '')?.[1]);
  return { items: ids.filter((id) => id !== undefined).map((id) => ({ id, isManager: id === ctx.credentials.loginCustomerId })), warnings: [] };
}

const CLIENTS = "SELECT customer_client.id, customer_client.manager, customer_client.status FROM customer_client WHERE customer_client.status = 'ENABLED'";

/** With itself. */
async function clientsOf(ctx: GoogleContext, managerId: string): Promise<Listing<Customer>> {
  const { items, warnings } = await adsSearch(ctx, managerId, CLIENTS);
  const clients = items.flatMap((row): Customer[] => {
    const client = asObject(row['customerClient']);
    const id = asCode(client?.['id']) ?? '';
    return /^\d{10}$/.test(id) ? [{ id, isManager: client?.['manager'] === true }] : [];
  });
  return { items: clients, warnings };
}

/** The customer that is named, or the only one there is. */
export async function resolveCustomer(ctx: GoogleContext, adAccountId: string | undefined): Promise<string> {
  if (adAccountId !== undefined && adAccountId.trim() !== '') return customerIdOf(adAccountId);
  const { items: customers } = await reachableCustomers(ctx);
  const advertisers = customers.filter(({ isManager }) => !isManager);
  const choice = advertisers.length === 0 ? customers : advertisers;
  const [only, ...others] = choice;
  if (only !== undefined && others.length === 0) return only.id;
  const known = choice.slice(0, 20).map(({ id }) => id).join(', ');
  throw new LocalRuleError(
    'adAccountId',
    only === undefined
      ? 'This account reaches no Google Ads customer. Connect it with a user who has access to one.'
      : `This account reaches ${choice.length} Google Ads customers; name one of them as adAccountId: ${known}${choice.length > 20 ? ' …' : ''}.`,
  );
}
