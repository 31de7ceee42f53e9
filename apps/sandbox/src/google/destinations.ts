import type { ActionStore } from './actions.ts';
import { accessBetween, customerOf } from './customers.ts';
import type { Violation } from './error-bodies.ts';
import type { AccountInput, DestinationInput } from './request-shape.ts';

export type ActionType = 'UPLOAD_CLICKS' | 'WEBPAGE';

export interface KnownDestination {
  readonly reference: string;
  /** `customers/{cid}/conversionActions/{id}`, the name under which events are recorded. */
  readonly destinationId: string;
  readonly type: ActionType | undefined;
  readonly input: DestinationInput;
}

const MAX_DESTINATIONS = 10;

export interface CheckedDestinations {
  readonly known: readonly KnownDestination[];
  readonly violations: readonly Violation[];
}

export function checkDestinations(inputs: readonly DestinationInput[], actions: ActionStore): CheckedDestinations {
  if (inputs.length === 0) return { known: [], violations: [missing('destinations')] };
  const violations: Violation[] = [];
  if (inputs.length > MAX_DESTINATIONS) {
    violations.push({ field: 'destinations', description: `At most ${MAX_DESTINATIONS} destinations are allowed.`, reason: 'TOO_MANY_DESTINATIONS' });
  }
  const seen = new Set<string>();
  const known = inputs.map((input, index) => {
    const path = `destinations[${index}]`;
    const reference = input.reference ?? '';
    if (reference !== '' && seen.has(reference)) {
      violations.push({ field: `${path}.reference`, description: `The destination reference "${reference}" is used more than once.`, reason: 'DUPLICATE_DESTINATION_REFERENCE' });
    }
    seen.add(reference);
    checkAccounts(input, path, violations);
    const type = checkAction({ input, path, actions }, violations);
    const destinationId = `customers/${input.operatingAccount?.accountId ?? ''}/conversionActions/${input.productDestinationId ?? ''}`;
    return { reference, destinationId, type, input };
  });
  return { known, violations };
}

function checkAccounts(input: DestinationInput, path: string, violations: Violation[]): void {
  const operating = input.operatingAccount;
  if (operating === undefined) {
    violations.push(missing(`${path}.operating_account`));
    return;
  }
  const login = input.loginAccount ?? operating;
  const before = violations.length;
  checkAccount(operating, `${path}.operating_account`, violations);
  if (input.loginAccount) checkAccount(login, `${path}.login_account`, violations);
  if (input.linkedAccount) {
    checkAccount(input.linkedAccount, `${path}.linked_account`, violations);
    if (typeOf(login) !== 'DATA_PARTNER') {
      violations.push({
        field: `${path}.linked_account`,
        description: 'A linked account is only allowed with a data partner login account.',
        reason: 'LINKED_ACCOUNT_ONLY_ALLOWED_WITH_DATA_PARTNER_LOGIN_ACCOUNT',
      });
    }
  }
  if (violations.length > before) return; // the pair is judged only when each half is sound
  if (typeOf(operating) !== 'GOOGLE_ADS') {
    violations.push({ field: `${path}.operating_account`, description: 'The operating account does not fit the destination.', reason: 'DESTINATION_ACCOUNT_TYPE_MISMATCH' });
  } else if (accessBetween(login.accountId ?? '', operating.accountId ?? '') !== 'granted') {
    violations.push({
      field: `${path}.operating_account`,
      description: 'The login account has no access to the operating account.',
      reason: 'OPERATING_ACCOUNT_LOGIN_ACCOUNT_MISMATCH',
    });
  }
}

function checkAccount(account: AccountInput, path: string, violations: Violation[]): void {
  if (!account.accountId) violations.push(missing(`${path}.account_id`));
  else if (!/^\d+$/.test(account.accountId)) {
    violations.push({ field: `${path}.account_id`, description: 'String is not a valid number.', reason: 'INVALID_NUMBER_FORMAT' });
  }
  if (typeOf(account) === undefined) violations.push(missing(`${path}.account_type`));
  else if (isSet(account.accountType) && isSet(account.product) && account.accountType !== account.product) {
    violations.push({ field: `${path}.product`, description: 'Product and account type disagree.', reason: 'INVALID_ARGUMENT' });
  }
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && !value.endsWith('_UNSPECIFIED');
}

/** `product` is the deprecated twin of `accountType`. */
function typeOf(account: AccountInput): string | undefined {
  return [account.accountType, account.product].find(isSet);
}

interface ActionPlace {
  readonly input: DestinationInput;
  readonly path: string;
  readonly actions: ActionStore;
}

function checkAction({ input, path, actions }: ActionPlace, violations: Violation[]): ActionType | undefined {
  const field = `${path}.product_destination_id`;
  const id = input.productDestinationId;
  if (!id) {
    violations.push(missing(field));
    return undefined;
  }
  const customerId = input.operatingAccount?.accountId ?? '';
  if (customerOf(customerId) === undefined) return undefined; // the account is told off already
  // Under a resource name nothing is found: the field takes the bare id.
  const action = actions.find(customerId, id);
  if (action === undefined || action.status !== 'ENABLED') {
    violations.push({ field, description: 'The conversion action does not exist.', reason: 'INVALID_CONVERSION_ACTION_ID' });
    return undefined;
  }
  if (action.type === 'UPLOAD_CLICKS' || action.type === 'WEBPAGE') return action.type;
  violations.push({ field, description: 'The conversion action has a type that does not accept events.', reason: 'INVALID_CONVERSION_ACTION_TYPE' });
  return undefined;
}

export function missing(field: string): Violation {
  return { field, description: 'A required field is missing.', reason: 'REQUIRED_FIELD_MISSING' };
}
