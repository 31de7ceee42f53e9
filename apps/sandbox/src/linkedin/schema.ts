/** What Rest.li itself checks of one event against its schema: types, required fields, unknown fields. */

export interface SchemaRules {
  readonly rejectUnknownFields: boolean;
  readonly acceptLegacyIdTypes: boolean;
  /** `LinkedIn-Version` of the request as a number: the hashed name fields came with 202609. */
  readonly version: number;
}

/** Adds a line `ERROR :: path :: text`. */
type Report = (path: string, text: string) => void;
type Fields = Readonly<Record<string, unknown>>;

const ID_TYPES: ReadonlySet<unknown> = new Set([
  'SHA256_EMAIL',
  'LINKEDIN_FIRST_PARTY_ADS_TRACKING_UUID',
  'PLAINTEXT_IP_ADDRESS',
  'SHA256_IP_ADDRESS',
  'GOOGLE_AID',
  'ACXIOM_ID',
]);
const HASHED_NAMES_SINCE = 202609;
const REQUIRED = 'field is required but not found and has no default value';
const UNKNOWN = 'unrecognized field found but not allowed';

const EVENT_FIELDS: ReadonlySet<string> = new Set(['conversion', 'conversionHappenedAt', 'conversionValue', 'eventId', 'user']);
const VALUE_FIELDS: ReadonlySet<string> = new Set(['currencyCode', 'amount']);
const USER_FIELDS: ReadonlySet<string> = new Set(['userIds', 'userInfo', 'externalIds', 'lead']);
const USER_ID_FIELDS: ReadonlySet<string> = new Set(['idType', 'idValue']);
const INFO_FIELDS: ReadonlySet<string> = new Set(['firstName', 'lastName', 'title', 'companyName', 'countryCode']);
const INFO_FIELDS_HASHED: ReadonlySet<string> = new Set([...INFO_FIELDS, 'hashedFirstName', 'hashedLastName']);

/** The lines for one element; empty when it fits the schema. */
export function schemaLines(element: unknown, rules: SchemaRules): readonly string[] {
  const lines: string[] = [];
  const report: Report = (path, text) => {
    lines.push(`ERROR :: ${path} :: ${text}`);
  };
  const event = record(element, '', report);
  if (event === undefined) return lines;
  unknownFields(event, EVENT_FIELDS, '', { rules, report });
  requiredString(event, 'conversion', '', report);
  if (event['conversionHappenedAt'] === undefined) report('/conversionHappenedAt', REQUIRED);
  else if (!Number.isSafeInteger(event['conversionHappenedAt'])) report('/conversionHappenedAt', notA(event['conversionHappenedAt'], 'Long'));
  optionalString(event, 'eventId', '', report);
  if (event['conversionValue'] !== undefined) checkValue(event['conversionValue'], { rules, report });
  if (event['user'] === undefined) report('/user', REQUIRED);
  else checkUser(event['user'], { rules, report });
  return lines;
}

interface Place {
  readonly rules: SchemaRules;
  readonly report: Report;
}

function checkValue(input: unknown, { rules, report }: Place): void {
  const value = record(input, '/conversionValue', report);
  if (value === undefined) return;
  unknownFields(value, VALUE_FIELDS, '/conversionValue', { rules, report });
  if (requiredString(value, 'currencyCode', '/conversionValue', report) && !/^[A-Z]{3}$/.test(String(value['currencyCode']))) {
    report('/conversionValue/currencyCode', `${JSON.stringify(value['currencyCode'])} is not an enum symbol`);
  }
  // A plain decimal in quotes: a bare number or an exponent is not taken.
  if (requiredString(value, 'amount', '/conversionValue', report) && !/^-?\d+(?:\.\d+)?$/.test(String(value['amount']))) {
    report('/conversionValue/amount', notA(value['amount'], 'BigDecimal'));
  }
}

function checkUser(input: unknown, place: Place): void {
  const { report } = place;
  const user = record(input, '/user', report);
  if (user === undefined) return;
  unknownFields(user, USER_FIELDS, '/user', place);
  const ids = user['userIds'];
  // Required even when it stays empty because names or a lead identify the person.
  if (ids === undefined) report('/user/userIds', REQUIRED);
  else if (!Array.isArray(ids)) report('/user/userIds', notA(ids, 'array'));
  else for (const [index, id] of ids.entries()) checkUserId(id, `/user/userIds/${index}`, place);
  if (user['userInfo'] !== undefined) checkInfo(user['userInfo'], place);
  optionalString(user, 'lead', '/user', report);
  const external = user['externalIds'];
  if (external === undefined) return;
  if (!Array.isArray(external) || external.some((id) => typeof id !== 'string')) report('/user/externalIds', notA(external, 'array of String'));
  else if (external.length > 1) report('/user/externalIds', 'length must be less than or equal to 1');
}

function checkUserId(input: unknown, path: string, place: Place): void {
  const id = record(input, path, place.report);
  if (id === undefined) return;
  unknownFields(id, USER_ID_FIELDS, path, place);
  const type = id['idType'];
  if (type === undefined) place.report(`${path}/idType`, REQUIRED);
  else if (!ID_TYPES.has(type) && !(place.rules.acceptLegacyIdTypes && type === 'ORACLE_MOAT_ID')) {
    place.report(`${path}/idType`, `${JSON.stringify(type)} is not an enum symbol`);
  }
  requiredString(id, 'idValue', path, place.report);
}

function checkInfo(input: unknown, place: Place): void {
  const path = '/user/userInfo';
  const info = record(input, path, place.report);
  if (info === undefined) return;
  const hashedAllowed = place.rules.version >= HASHED_NAMES_SINCE;
  unknownFields(info, hashedAllowed ? INFO_FIELDS_HASHED : INFO_FIELDS, path, place);
  const hashed = hashedAllowed && (info['hashedFirstName'] !== undefined || info['hashedLastName'] !== undefined);
  const plain = info['firstName'] !== undefined || info['lastName'] !== undefined;
  // The two halves of a name come together, in clear or hashed.
  if (hashed) for (const name of ['hashedFirstName', 'hashedLastName']) requiredString(info, name, path, place.report);
  if (plain || !hashed) for (const name of ['firstName', 'lastName']) requiredString(info, name, path, place.report);
  for (const name of ['title', 'companyName', 'countryCode']) optionalString(info, name, path, place.report);
  if (typeof info['countryCode'] === 'string' && !/^[A-Z]{2}$/.test(info['countryCode'])) {
    place.report(`${path}/countryCode`, `${JSON.stringify(info['countryCode'])} is not an ISO 3166 alpha-2 code`);
  }
}

function record(value: unknown, path: string, report: Report): Fields | undefined {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  report(path === '' ? '/' : path, notA(value, 'record'));
  return undefined;
}

function unknownFields(fields: Fields, known: ReadonlySet<string>, path: string, { rules, report }: Place): void {
  if (!rules.rejectUnknownFields) return;
  for (const name of Object.keys(fields)) if (!known.has(name)) report(`${path}/${name}`, UNKNOWN);
}

function requiredString(fields: Fields, name: string, path: string, report: Report): boolean {
  if (fields[name] === undefined) report(`${path}/${name}`, REQUIRED);
  return fields[name] !== undefined && optionalString(fields, name, path, report);
}

function optionalString(fields: Fields, name: string, path: string, report: Report): boolean {
  const value = fields[name];
  if (value === undefined || typeof value === 'string') return true;
  report(`${path}/${name}`, notA(value, 'String'));
  return false;
}

function notA(value: unknown, type: string): string {
  return `${JSON.stringify(value)} cannot be coerced to ${type}`;
}
