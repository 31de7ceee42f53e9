import type { GoogleCredentials } from '../../google/credentials.ts';
import { LocalRuleError, PlatformCallError } from '../errors.ts';
import { gather, type Source } from '../gather.ts';
import { sortedDestinations, type ConversionDestination, type CreateDestinationInput, type DestinationManagement } from '../management.ts';
import { customerIdOf, type GoogleContext } from './call.ts';
import { createAction, searchActions, type AdsConversionAction, type NewAction } from './conversion-actions.ts';
import { reachableCustomers } from './customers.ts';

/** Standard event names that have a category; any other text goes to Google as it is. */
const CATEGORIES: Readonly<Record<string, string>> = {
  Purchase: 'PURCHASE',
  Subscribe: 'SUBSCRIBE_PAID',
  CompleteRegistration: 'SIGNUP',
  Lead: 'IMPORTED_LEAD',
  Schedule: 'BOOK_APPOINTMENT',
};

const COUNTING_TYPES: readonly string[] = ['MANY_PER_CLICK', 'ONE_PER_CLICK'];

/** Conversion actions. Google has no single get, change, delete or campaigns of them that the client's API speaks of. */
export const googleManagement: DestinationManagement<GoogleCredentials> = {
  async listDestinations(ctx) {
    const customers = await reachableCustomers(ctx);
    const sources = customers.items.map(
      ({ id }): Source<AdsConversionAction> => ({ name: `customer ${id}`, list: () => searchActions(ctx, id, { snippets: false }) }),
    );
    const { items, warnings } = await gather(sources);
    return { destinations: sortedDestinations(items.map(toDestination)), warnings: [...customers.warnings, ...warnings] };
  },

  async createDestination(ctx, input) {
    const customerId = customerIdOf(input.adAccountId);
    const action = newAction(input);
    const existing = await sameName(ctx, customerId, action, (name) => name);
    if (existing !== undefined) return { destination: existing, created: false };
    try {
      const resourceName = await createAction(ctx, customerId, action);
      return { destination: { id: resourceName, name: action.name, type: action.category, status: 'active' }, created: true };
    } catch (error) {
      if (!(error instanceof PlatformCallError) || error.code !== 'DUPLICATE_NAME') throw error;
      // Somebody was faster, or the name differs only in what Google does not look at.
      const faster = await sameName(ctx, customerId, action, (name) => name.trim().toLowerCase());
      if (faster === undefined) throw error;
      return { destination: faster, created: false };
    }
  },
};

function newAction(input: CreateDestinationInput): NewAction {
  const name = input.name.trim();
  if (name === '') throw new LocalRuleError('name', 'name must not be empty.');
  const type = input.type.trim();
  if (type === '') throw new LocalRuleError('type', 'type must not be empty: a standard event name such as Purchase, or a category of Google Ads such as PURCHASE.');
  const countingType = input.countingType ?? 'MANY_PER_CLICK';
  if (!COUNTING_TYPES.includes(countingType)) throw new LocalRuleError('countingType', `countingType has to be ${COUNTING_TYPES.join(' or ')}.`);
  return {
    name,
    type: 'UPLOAD_CLICKS',
    category: Object.hasOwn(CATEGORIES, type) ? CATEGORIES[type]! : type,
    countingType,
    primaryForGoal: input.primaryForGoal ?? false,
  };
}

/** The names are compared here, so that no name has to be quoted into a query. `undefined`: there is none of that name. */
async function sameName(
  ctx: GoogleContext,
  customerId: string,
  { name, category }: NewAction,
  comparable: (name: string) => string,
): Promise<ConversionDestination | undefined> {
  const { items } = await searchActions(ctx, customerId, { snippets: false });
  const existing = items.find((action) => action.name === name) ?? items.find((action) => comparable(action.name) === comparable(name));
  if (existing === undefined) return undefined;
  if (existing.category === category) return toDestination(existing);
  throw new PlatformCallError({
    platform: 'googleads',
    kind: 'conflict',
    code: 'IDEMPOTENCY_CONFLICT',
    message: `Customer ${customerId} has a conversion action of this name already, of category ${existing.category} instead of ${category} (${existing.resourceName}). Choose another name, or that category.`,
  });
}

function toDestination({ resourceName, name, category, status }: AdsConversionAction): ConversionDestination {
  return {
    id: resourceName,
    name,
    ...(category !== 'UNKNOWN' && { type: category }),
    // HIDDEN ones record nothing that anybody sees; REMOVED ones are never read.
    status: status === 'ENABLED' ? 'active' : 'inactive',
  };
}
