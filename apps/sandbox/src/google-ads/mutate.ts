import type { SandboxCore } from '../core/types.ts';
import { ACTION_DEFAULTS, resourceNameOf } from '../google/actions.ts';
import type { ActionStore, ConversionAction } from '../google/actions.ts';
import { badRequest, requestFault } from './errors.ts';
import type { AdsFault, AdsRefusal, FieldPathElement } from './errors.ts';
import { partialFailure } from './partial-failure.ts';
import type { AdsSettings } from './settings.ts';
import type { ActionInput, MutateRequest } from './shapes.ts';

const MAX_OPERATIONS = 10_000;
const MAX_NAME_LENGTH = 100;
const MAX_CLICK_DAYS = 90;
const MAX_VIEW_DAYS = 30;
/** Types that can be made over the API; of the others only those Google makes itself exist. */
const CREATABLE = new Set(['AD_CALL', 'CLICK_TO_CALL', 'WEBPAGE', 'WEBSITE_CALL', 'UPLOAD_CALLS', 'UPLOAD_CLICKS', 'STORE_SALES', 'SALESFORCE']);

interface MutateParts {
  readonly core: SandboxCore;
  readonly customerId: string;
  readonly actions: ActionStore;
  readonly settings: AdsSettings;
  readonly version: string;
  readonly requestId: string;
}

type Outcome = { readonly action: ConversionAction } | { readonly fault: AdsFault };

/** `conversionActions:mutate`: all operations or none, unless `partialFailure` is asked for. */
export function mutate(body: MutateRequest, parts: MutateParts): AdsRefusal | { readonly body: unknown; readonly status?: number } {
  const operations = body.operations ?? [];
  if (operations.length === 0) return badRequest(requestFault('REQUIRED_FIELD_MISSING', 'Required field is missing.', [{ fieldName: 'operations' }]));
  if (operations.length > MAX_OPERATIONS) return badRequest(requestFault('TOO_MANY_MUTATE_OPERATIONS', 'The request exceeds 10000 mutate operations.'));
  if (operations.some((operation) => operation.update !== undefined)) return { status: 501, body: { sandboxError: 'conversionActions:mutate knows create and remove only' } };
  // Within a request the names taken by earlier operations count as well.
  const made: ConversionAction[] = [];
  const outcomes = operations.map((operation, index): Outcome => {
    const at: FieldPathElement[] = [{ fieldName: 'operations', index }];
    if (operation.remove !== undefined) return removed(operation.remove, at, parts);
    if (operation.create === undefined) return { fault: requestFault('OPERATION_REQUIRED', 'Mutate operation should have either create, update, or remove specified.', at) };
    const outcome = created(operation.create, [...at, { fieldName: 'create' }], { parts, made });
    if ('action' in outcome) made.push(outcome.action);
    return outcome;
  });
  const faults = outcomes.filter((outcome) => 'fault' in outcome).map(({ fault }) => fault);
  if (faults.length > 0 && body.partialFailure !== true) return badRequest(...faults);
  const results = outcomes.map((outcome) => ('fault' in outcome ? {} : resultOf(outcome.action, body, parts)));
  const failure = faults.length > 0 ? { partialFailureError: partialFailure(faults, parts) } : {};
  return { body: body.validateOnly === true ? failure : { ...failure, results } };
}

function removed(resourceName: string, at: readonly FieldPathElement[], { actions, customerId }: MutateParts): Outcome {
  const [, cid = '', id = ''] = /^customers\/(\d+)\/conversionActions\/(\d+)$/.exec(resourceName) ?? [];
  const action = cid === customerId ? actions.find(cid, id) : undefined;
  if (action === undefined) return { fault: { category: 'mutateError', code: 'RESOURCE_NOT_FOUND', message: 'Resource was not found.', location: at } };
  return { action: { ...action, status: 'REMOVED' } };
}

function created(input: ActionInput, at: readonly FieldPathElement[], { parts, made }: { readonly parts: MutateParts; readonly made: readonly ConversionAction[] }): Outcome {
  const { core, customerId, actions, settings } = parts;
  const fault = inputFault(input, at);
  if (fault !== undefined) return { fault };
  const name = input.name ?? '';
  const key = (text: string) => (settings.namesIgnoreCase ? text.toLowerCase() : text);
  const taken = [...actions.list(customerId), ...made].some((other) => other.status !== 'REMOVED' && key(other.name) === key(name));
  if (taken) {
    const message = 'The specified conversion action name already exists.';
    return { fault: { category: 'conversionActionError', code: 'DUPLICATE_NAME', message, trigger: name, location: [...at, { fieldName: 'name' }] } };
  }
  const { clickThroughLookbackWindowDays: click, viewThroughLookbackWindowDays: view, valueSettings } = input;
  return {
    action: {
      ...ACTION_DEFAULTS,
      ...(input.status === undefined ? {} : { status: input.status }),
      ...(input.category === undefined ? {} : { category: input.category }),
      ...(input.countingType === undefined ? {} : { countingType: input.countingType }),
      ...(input.primaryForGoal === undefined ? {} : { primaryForGoal: input.primaryForGoal }),
      ...(click === undefined ? {} : { clickThroughLookbackWindowDays: String(click) }),
      ...(view === undefined ? {} : { viewThroughLookbackWindowDays: String(view) }),
      valueSettings: { ...ACTION_DEFAULTS.valueSettings, ...valueSettings },
      customerId,
      id: '',
      name,
      type: input.type ?? '',
      createdAtMs: core.now(),
    },
  };
}

function inputFault(input: ActionInput, at: readonly FieldPathElement[]): AdsFault | undefined {
  const fieldError = (code: string, message: string, fieldName: string): AdsFault => ({ category: 'fieldError', code, message, location: [...at, { fieldName }] });
  const output = (['id', 'ownerCustomer', 'tagSnippets'] as const).find((name) => input[name] !== undefined);
  if (output !== undefined) return fieldError('VALUE_MUST_BE_UNSET', 'The field value must not be set.', output.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
  for (const name of ['name', 'type'] as const) {
    if (!input[name] || input[name] === 'UNSPECIFIED') return fieldError('REQUIRED', 'The required field was not present.', name);
  }
  if ((input.name ?? '').length > MAX_NAME_LENGTH) return { ...fieldError('TOO_LONG', 'Too long.', 'name'), category: 'stringLengthError' };
  if (!CREATABLE.has(input.type ?? '')) {
    const message = 'Creation of this conversion action type is not supported by the API.';
    return { ...fieldError('CREATION_NOT_SUPPORTED', message, 'type'), category: 'conversionActionError' };
  }
  if (outOfRange(input.clickThroughLookbackWindowDays, MAX_CLICK_DAYS)) return windowFault(at, 'click_through_lookback_window_days');
  if (outOfRange(input.viewThroughLookbackWindowDays, MAX_VIEW_DAYS)) return windowFault(at, 'view_through_lookback_window_days');
  return undefined;
}

const outOfRange = (days: string | number | undefined, most: number): boolean => days !== undefined && (Number(days) < 0 || Number(days) > most);

const windowFault = (at: readonly FieldPathElement[], fieldName: string): AdsFault => ({
  category: 'rangeError',
  code: 'TOO_HIGH',
  message: 'Too high.',
  location: [...at, { fieldName }],
});

function resultOf(given: ConversionAction, body: MutateRequest, { actions }: MutateParts): Record<string, unknown> {
  if (body.validateOnly === true) return {};
  const action = actions.put(given.id === '' ? withoutId(given) : given);
  const resourceName = resourceNameOf(action);
  if (body.responseContentType !== 'MUTABLE_RESOURCE') return { resourceName };
  // Output-only members (id, owner, snippets) are read back by search.
  const { name, type, status, category, countingType, primaryForGoal, clickThroughLookbackWindowDays, viewThroughLookbackWindowDays, valueSettings } = action;
  const mutable = { name, type, status, category, countingType, primaryForGoal, clickThroughLookbackWindowDays, viewThroughLookbackWindowDays, valueSettings };
  return { resourceName, conversionAction: { resourceName, ...mutable } };
}

function withoutId({ id: _id, ...rest }: ConversionAction): Omit<ConversionAction, 'id'> {
  return rest;
}
