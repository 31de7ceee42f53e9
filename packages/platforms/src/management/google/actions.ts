import { LocalRuleError } from '../errors.ts';
import { compareIds } from '../management.ts';
import { resolveCustomer } from './customers.ts';
import type { GoogleContext } from './call.ts';
import { createAction, searchActions, type AdsConversionAction, type NewAction, type TagSnippet } from './conversion-actions.ts';

/** `ConversionAction` of the client. */
export interface ConversionAction {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly status: string;
  readonly category: string;
  /** Empty for types that have none. */
  readonly tagSnippets: readonly TagSnippet[];
}

export interface ListActionsInput {
  /** `undefined`: the only customer there is. */
  readonly adAccountId?: string | undefined;
  /** Only actions of this type, e.g. `WEBPAGE`. */
  readonly type?: string | undefined;
}

export async function listConversionActions(
  ctx: GoogleContext,
  input: ListActionsInput = {},
): Promise<{ readonly customerId: string; readonly actions: readonly ConversionAction[]; readonly warnings: readonly string[] }> {
  const customerId = await resolveCustomer(ctx, input.adAccountId);
  const { items, warnings } = await searchActions(ctx, customerId, { snippets: true });
  const wanted = items.filter(({ type }) => input.type === undefined || type === input.type);
  return { customerId, actions: wanted.map(toAction).sort((one, other) => compareIds(one.id, other.id)), warnings };
}

export interface CreateActionInput {
  readonly adAccountId?: string | undefined;
  readonly name: string;
  /** `WEBPAGE` is all that is supported. */
  readonly type: string;
  readonly defaultValue?: number | undefined;
  /** `undefined`: true where there is a `defaultValue`. */
  readonly alwaysUseDefaultValue?: boolean | undefined;
}

/** Not idempotent: a second action of the name is Google's `DUPLICATE_NAME`, a conflict. */
export async function createConversionAction(
  ctx: GoogleContext,
  input: CreateActionInput,
): Promise<{ readonly customerId: string; readonly action: ConversionAction }> {
  const action = newAction(input);
  const customerId = await resolveCustomer(ctx, input.adAccountId);
  const resourceName = await createAction(ctx, customerId, action);
  const id = resourceName.slice(resourceName.lastIndexOf('/') + 1);
  const made = { id, name: action.name, type: action.type, status: 'ENABLED', category: action.category, tagSnippets: [] };
  return { customerId, action: (await readBack(ctx, customerId, resourceName, id)) ?? made };
}

/** The snippets exist only once the action does. It was made, so no failure here may say that it was not. */
async function readBack(ctx: GoogleContext, customerId: string, resourceName: string, actionId: string): Promise<ConversionAction | undefined> {
  try {
    const { items } = await searchActions(ctx, customerId, { snippets: true, actionId });
    const found = items.find((action) => action.resourceName === resourceName);
    return found === undefined ? undefined : toAction(found);
  } catch {
    // Whatever it was: the caller gets the action without its snippets, which the list gives later.
    return undefined;
  }
}

function newAction(input: CreateActionInput): NewAction {
  const name = input.name.trim();
  if (name === '') throw new LocalRuleError('name', 'name must not be empty.');
  if (input.type !== 'WEBPAGE') throw new LocalRuleError('type', 'type has to be WEBPAGE. Conversion actions for uploads are made as conversion destinations.');
  const { defaultValue, alwaysUseDefaultValue } = input;
  if (defaultValue !== undefined && !Number.isFinite(defaultValue)) throw new LocalRuleError('defaultValue', 'defaultValue has to be a finite number.');
  if (defaultValue === undefined && alwaysUseDefaultValue === true) {
    throw new LocalRuleError('alwaysUseDefaultValue', 'alwaysUseDefaultValue needs a defaultValue to use.');
  }
  const hasValue = defaultValue !== undefined || alwaysUseDefaultValue !== undefined;
  return {
    name,
    type: 'WEBPAGE',
    category: 'DEFAULT',
    primaryForGoal: false,
    ...(hasValue && {
      valueSettings: { ...(defaultValue !== undefined && { defaultValue }), alwaysUseDefaultValue: alwaysUseDefaultValue ?? true },
    }),
  };
}

function toAction({ id, name, type, status, category, tagSnippets }: AdsConversionAction): ConversionAction {
  return { id, name, type, status, category, tagSnippets };
}
