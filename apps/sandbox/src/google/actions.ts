import { SEED } from '../seed.ts';

/** Conversion actions, shared by the Ads API that makes them and the Data Manager that sends to them. */
export interface ConversionAction {
  readonly customerId: string;
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly status: string;
  readonly category: string;
  readonly countingType: string;
  readonly primaryForGoal: boolean;
  readonly clickThroughLookbackWindowDays: string;
  readonly viewThroughLookbackWindowDays: string;
  readonly valueSettings: { readonly defaultValue: number; readonly defaultCurrencyCode?: string; readonly alwaysUseDefaultValue: boolean };
  /** Unix ms; 0 for seeded ones. */
  readonly createdAtMs: number;
}

export interface ActionStore {
  find(customerId: string, id: string): ConversionAction | undefined;
  list(customerId: string): readonly ConversionAction[];
  /** Stores under a new id, or in place of the action with that id. */
  put(action: Omit<ConversionAction, 'id'> & { readonly id?: string }): ConversionAction;
  reset(): void;
}

/** An action of the customer whose type takes no events (a phone call action). */
export const CALL_ACTION = '301';
const FIRST_NEW_ID = 7_000_000_001;
const CATEGORIES = ['PURCHASE', 'IMPORTED_LEAD', 'SIGNUP'] as const;

/** Google's defaults for what a create leaves out; `primaryForGoal` is true there. */
export const ACTION_DEFAULTS = {
  status: 'ENABLED',
  category: 'DEFAULT',
  countingType: 'MANY_PER_CLICK',
  primaryForGoal: true,
  clickThroughLookbackWindowDays: '30',
  viewThroughLookbackWindowDays: '1',
  valueSettings: { defaultValue: 1, alwaysUseDefaultValue: false },
} as const;

export const resourceNameOf = ({ customerId, id }: Pick<ConversionAction, 'customerId' | 'id'>): string => `customers/${customerId}/conversionActions/${id}`;

function seededActions(): readonly ConversionAction[] {
  const seeded = (customerId: string, ids: readonly string[], type: string): ConversionAction[] =>
    ids.map((id, index) => {
      const category = type === 'UPLOAD_CLICKS' ? (CATEGORIES[index % CATEGORIES.length] ?? 'PURCHASE') : 'PURCHASE';
      return { ...ACTION_DEFAULTS, customerId, id, name: `Sandbox ${category.toLowerCase().replace('_', ' ')} ${id}`, type, category, createdAtMs: 0 };
    });
  const { customerId, secondCustomerId, clientCustomerId, uploadActions, webpageActions, secondUploadActions, clientUploadActions } = SEED.google;
  return [
    ...seeded(customerId, uploadActions, 'UPLOAD_CLICKS'),
    ...seeded(customerId, webpageActions, 'WEBPAGE'),
    ...seeded(customerId, [CALL_ACTION], 'WEBSITE_CALL'),
    ...seeded(secondCustomerId, secondUploadActions, 'UPLOAD_CLICKS'),
    ...seeded(clientCustomerId, clientUploadActions, 'UPLOAD_CLICKS'),
  ];
}

export function createActionStore(): ActionStore {
  const actions = new Map<string, ConversionAction>();
  let nextId = FIRST_NEW_ID;

  function reset(): void {
    actions.clear();
    nextId = FIRST_NEW_ID;
    for (const action of seededActions()) actions.set(resourceNameOf(action), action);
  }

  reset();
  return {
    find: (customerId, id) => actions.get(`customers/${customerId}/conversionActions/${id}`),
    list: (customerId) => [...actions.values()].filter((action) => action.customerId === customerId),
    put(given) {
      const id = given.id ?? String(nextId);
      if (given.id === undefined) nextId += 1;
      const action = { ...given, id };
      actions.set(resourceNameOf(action), action);
      return action;
    },
    reset,
  };
}
