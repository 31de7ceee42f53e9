import { asList, asObject } from '../http/json.ts';

/** Fields of a Data Manager event that the relay has no field for; they come through `platformData` under Google's names. */
export interface PassedFields {
  readonly customVariables?: readonly Pair[];
  readonly experimentalFields?: readonly Pair[];
  readonly userProperties?: Readonly<Record<string, unknown>>;
  readonly cart?: Readonly<Record<string, unknown>>;
}
type Pair = Readonly<Record<string, string>>;

/** `field`: the path of a value that Google's JSON reader is certain to refuse, which would fail the whole request. */
export type PassedResult =
  | { readonly ok: true; readonly fields: PassedFields }
  | { readonly ok: false; readonly field: string; readonly wanted: string };

const CART_TEXTS = ['merchantId', 'merchantFeedLabel', 'merchantFeedLanguageCode'] as const;
const USER_TEXTS = ['customerType', 'customerValueBucket'] as const;

class Malformed extends Error {
  readonly field: string;
  readonly wanted: string;
  constructor(field: string, wanted: string) {
    super(`${field}: ${wanted}`);
    this.field = field;
    this.wanted = wanted;
  }
}

/** Copies the documented fields and nothing else: `destinationReferences`, for one, is for the relay to set. */
export function passedFields(platformData: Readonly<Record<string, unknown>>): PassedResult {
  try {
    const customVariables = pairs(platformData['customVariables'], 'customVariables', 'variable');
    const experimentalFields = pairs(platformData['experimentalFields'], 'experimentalFields', 'field');
    const userProperties = readUserProperties(platformData['userProperties']);
    const cart = readCart(platformData['cartData'], platformData['merchantId']);
    return {
      ok: true,
      fields: {
        ...(customVariables && { customVariables }),
        ...(experimentalFields && { experimentalFields }),
        ...(userProperties && { userProperties }),
        ...(cart && { cart }),
      },
    };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return { ok: false, field: `platformData.${error.field}`, wanted: error.wanted };
  }
}

function readUserProperties(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (value === undefined || value === null) return undefined;
  const given = objectAt(value, 'userProperties');
  const read: Record<string, unknown> = {};
  for (const name of USER_TEXTS) {
    if (given[name] !== undefined) read[name] = textAt(given[name], `userProperties.${name}`);
  }
  const additional = pairs(given['additionalUserProperties'], 'userProperties.additionalUserProperties', 'propertyName');
  if (additional) read['additionalUserProperties'] = additional;
  return Object.keys(read).length === 0 ? undefined : read;
}

/** `merchantId` may also stand beside `cartData`, where it is all that a shop has to add. */
function readCart(value: unknown, merchantId: unknown): Readonly<Record<string, unknown>> | undefined {
  const given = value === undefined || value === null ? {} : objectAt(value, 'cartData');
  const read: Record<string, unknown> = {};
  if (merchantId !== undefined) read['merchantId'] = textAt(merchantId, 'merchantId');
  for (const name of CART_TEXTS) {
    if (given[name] !== undefined) read[name] = textAt(given[name], `cartData.${name}`);
  }
  const discount = given['transactionDiscount'];
  if (discount !== undefined) {
    if (typeof discount !== 'number' || !Number.isFinite(discount)) throw new Malformed('cartData.transactionDiscount', 'a number');
    read['transactionDiscount'] = discount;
  }
  const coupons = given['couponCodes'];
  if (coupons !== undefined) {
    if (!Array.isArray(coupons)) throw new Malformed('cartData.couponCodes', 'a list of texts');
    read['couponCodes'] = coupons.map((coupon, index) => textAt(coupon, `cartData.couponCodes[${index}]`));
  }
  return Object.keys(read).length === 0 ? undefined : read;
}

/** A list of `{[name]: text, value: text}`; further members are left out. */
function pairs(value: unknown, path: string, name: string): readonly Pair[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw new Malformed(path, `a list of {${name}, value}`);
  const read = asList(value).map((entry, index) => {
    const given = objectAt(entry, `${path}[${index}]`);
    return {
      [name]: textAt(given[name], `${path}[${index}].${name}`),
      value: textAt(given['value'], `${path}[${index}].value`),
    };
  });
  return read.length === 0 ? undefined : read;
}

function objectAt(value: unknown, path: string): Readonly<Record<string, unknown>> {
  const object = asObject(value);
  if (object === undefined) throw new Malformed(path, 'an object');
  return object;
}

/** Numbers become text, as these fields are texts at Google and callers seldom know. */
function textAt(value: unknown, path: string): string {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (typeof value !== 'string' || !value.isWellFormed()) throw new Malformed(path, 'a text');
  return value;
}
