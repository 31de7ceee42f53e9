import { SEED } from '../seed.ts';

/** Google Ads customers and who may act for them; both APIs ask the same question. */
export interface Customer {
  readonly id: string;
  readonly name: string;
  readonly manager?: boolean;
  readonly managerId?: string;
  /** The grant's user has access without going through a manager. */
  readonly direct: boolean;
  readonly enabled: boolean;
}

export const CUSTOMERS: readonly Customer[] = SEED.google.customers;
const BY_ID: ReadonlyMap<string, Customer> = new Map(CUSTOMERS.map((customer) => [customer.id, customer]));

export const customerOf = (id: string): Customer | undefined => BY_ID.get(id);

/** `stranger`: the user has no way to the login account, or none without one; `unrelated`: the login account does not manage the other. */
export function accessBetween(loginId: string, operatingId: string): 'granted' | 'stranger' | 'unrelated' {
  const login = BY_ID.get(loginId);
  const operating = BY_ID.get(operatingId);
  if (login === undefined || operating === undefined || !login.direct) return 'stranger';
  return login === operating || operating.managerId === login.id ? 'granted' : 'unrelated';
}
