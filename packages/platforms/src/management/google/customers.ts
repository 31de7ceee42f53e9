import { asCode, asList, asObject, asText } from '../../http/json.ts';
import { REPEATABLE } from '../context.ts';
import { LocalRuleError, PlatformCallError } from '../errors.ts';
import { compareIds } from '../management.ts';
import { adsCall, adsSearch, customerIdOf, type GoogleContext } from './call.ts';

export interface Customer {
  readonly id: string;
  readonly isManager: boolean;
}

/**
 * The customers that calls can reach, sorted. Access through a manager account (`loginCustomerId`) reaches its clients at all
 * levels and nothing else, as its id goes into a header of every call; else those that `listAccessibleCustomers` names,
 * which are the ones with direct access.
 */
export async function reachableCustomers(ctx: GoogleContext): Promise<readonly Customer[]> {
  const managerId = ctx.credentials.loginCustomerId;
  const clients = managerId === undefined ? [] : await clientsOf(ctx, managerId);
  const customers = clients.length > 0 ? clients : (await directCustomers(ctx)).map((id) => ({ id, isManager: id === managerId }));
  const byId = new Map(customers.map((customer) => [customer.id, customer]));
  return [...byId.values()].sort((one, other) => compareIds(one.id, other.id));
}

async function directCustomers(ctx: GoogleContext): Promise<readonly string[]> {
  const answer = await adsCall(ctx, 'customers:listAccessibleCustomers', undefined, REPEATABLE);
  return asList(answer['resourceNames'])
    .map((name) => /^customers\/(\d{10})$/.exec(asText(name) ?? '')?.[1])
    .filter((id) => id !== undefined);
}

const CLIENTS = "SELECT customer_client.id, customer_client.manager, customer_client.status FROM customer_client WHERE customer_client.status = 'ENABLED'";

/** With itself. Empty where it may not be asked: those with direct access are what is left then. */
async function clientsOf(ctx: GoogleContext, managerId: string): Promise<readonly Customer[]> {
  try {
    const { items } = await adsSearch(ctx, managerId, CLIENTS);
    return items.flatMap((row): Customer[] => {
      const client = asObject(row['customerClient']);
      const id = asCode(client?.['id']) ?? '';
      return /^\d{10}$/.test(id) ? [{ id, isManager: client?.['manager'] === true }] : [];
    });
  } catch (error) {
    if (error instanceof PlatformCallError && (error.kind === 'invalid' || error.kind === 'permission' || error.kind === 'not_found')) return [];
    throw error;
  }
}

/** The customer that is named, or the only one there is. */
export async function resolveCustomer(ctx: GoogleContext, adAccountId: string | undefined): Promise<string> {
  if (adAccountId !== undefined && adAccountId.trim() !== '') return customerIdOf(adAccountId);
  const customers = await reachableCustomers(ctx);
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
