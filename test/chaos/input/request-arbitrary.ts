import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { HOSTILE_JSON, HOSTILE_TEXTS, HOSTILE_VALUES } from './hostile-values.ts';
import type { Request } from './http-client.ts';
import { valueOf, type Dictionary, type OpenapiDocument, type Operation, type Parameter } from './openapi-arbitrary.ts';

/** What is there to be found by a fuzzer. */
export interface World {
  readonly keys: { readonly full: string; readonly others: readonly string[] };
  /** Basic login of the dashboard. */
  readonly login: string;
  readonly dictionary: Dictionary;
  /** Bodies that are taken as they are, by `post /v1/ads/conversions`. */
  readonly bodies: Readonly<Record<string, readonly unknown[]>>;
  /** Ids for the path of an operation, where the dictionary's would do harm: by `delete /v1/admin/accounts/{id}`. */
  readonly pathIds: Readonly<Record<string, readonly string[]>>;
  /** Filled paths with their queries that lead somewhere, where ids drawn one by one hardly ever would. */
  readonly goodPaths: Readonly<Record<string, readonly string[]>>;
  /** Paths outside the document. */
  readonly otherPaths: readonly string[];
}

/** What was asked, and what the request would add to the books should it be accepted. */
export interface FuzzRequest extends Request {
  readonly operation: string;
  /** Parsed as the API would parse it; `undefined`: no JSON. */
  readonly sent: unknown;
}

/** Requests of every kind: by the document, beside it, and with the HTTP around the body gone wrong. */
export function anyRequest(document: OpenapiDocument, world: World): fc.Arbitrary<FuzzRequest> {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    // Where most can go wrong, most is tried.
    Object.entries(methods).map(([method, operation]) => ({ arbitrary: ofOperation(method, path, operation, document, world), weight: world.bodies[`${method} ${path}`] === undefined ? 1 : 3 })),
  );
  return fc.oneof({ arbitrary: fc.oneof(...operations), weight: 12 }, { arbitrary: beside(document, world), weight: 2 });
}

function ofOperation(method: string, path: string, operation: Operation, document: OpenapiDocument, world: World): fc.Arbitrary<FuzzRequest> {
  const name = `${method} ${path}`;
  const parameters = operation.parameters ?? [];
  const schema = operation.requestBody?.content?.['application/json']?.schema;
  const known = world.bodies[name];
  const good = world.goodPaths[name];
  const drawn = schema === undefined ? fc.constant(undefined) : valueOf(schema, '', document, world.dictionary);
  return fc
    .record({
      prefix: fc.constantFrom('', '', '', '/api'),
      path: pathOf(path, parameters, name, document, world),
      query: queryOf(parameters, document, world.dictionary),
      body: known === undefined ? drawn : fc.oneof({ arbitrary: fc.constantFrom(...known), weight: 4 }, { arbitrary: drawn, weight: 1 }),
      bend: bending,
      headers: headersOf(world, schema !== undefined),
      encode: encoding,
      straight: good === undefined ? fc.constant(undefined) : fc.option(fc.constantFrom(...good), { nil: undefined, freq: 2 }),
    })
    .map(({ prefix, path: filled, query, body, bend, headers, encode, straight }) => {
      const text = body === undefined ? undefined : bend(body);
      const encoded = text === undefined ? undefined : encode(text);
      return { operation: name, method: method.toUpperCase(), path: `${prefix}${straight ?? `${filled}${query}`}`, headers: { ...headers, ...encoded?.headers }, body: encoded?.body, sent: parsed(encoded?.body) };
    });
}

/** Unknown paths and methods, pages and probes. */
function beside(document: OpenapiDocument, world: World): fc.Arbitrary<FuzzRequest> {
  const paths = [...Object.keys(document.paths).map((path) => path.replaceAll(/\{[^}]+\}/g, 'x')), ...world.otherPaths];
  const twist = fc.constantFrom<(path: string) => string>(
    (path) => path, (path) => path, (path) => path, (path) => `${path}/`, (path) => `/${path}`, (path) => path.toUpperCase(), (path) => `${path}//x`, (path) => `${path}/../x`, (path) => `${path}%00`, (path) => `${path}%c0%af`, (path) => `${path}%`, (path) => `${path}%zz`,
    (path) => `${path};a=b`, (path) => `${path}?`, (path) => `${path}?a[b][c]=1&a=2`, (path) => `${path}?__proto__[x]=1&constructor=2`, (path) => `${path}?${'a=1&'.repeat(1500)}`, (path) => `${path}/${'a'.repeat(7000)}`, (path) => `${path}/..%2f..%2f..%2fetc%2fpasswd`, (path) => `${path}/%2e%2e/%2e%2e/package.json`, (path) => `http://evil.example${path}`,
  );
  return fc
    .record({
      method: fc.constantFrom('GET', 'GET', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'SEARCH', 'PURGE', 'QUERY', 'MKCOL', 'REPORT'),
      path: fc.constantFrom(...paths),
      twist,
      headers: fc.oneof(headersOf(world, true), fc.constant({ authorization: `Basic ${Buffer.from(world.login).toString('base64')}` })),
      body: fc.option(fc.constantFrom(...HOSTILE_JSON, '{}', '', ...Object.values(world.bodies).flat().map((body) => JSON.stringify(body))), { nil: undefined, freq: 2 }),
    })
    .map(({ method, path, twist: change, headers, body }) => ({ operation: 'beside', method, path: change(path), headers, body: body === undefined ? undefined : Buffer.from(body), sent: parsed(body) }));
}

function pathOf(path: string, parameters: readonly Parameter[], operation: string, document: OpenapiDocument, world: World): fc.Arbitrary<string> {
  const inPath = parameters.filter((parameter) => parameter.in === 'path');
  const ids = world.pathIds[operation];
  const members = inPath.map(({ name, schema }) => [name, ids === undefined ? valueOf(schema ?? {}, name, document, world.dictionary) : fc.constantFrom(...ids)] as const);
  const whole = (id: string): string => encodeURIComponent(id.toWellFormed());
  const spell = fc.constantFrom<(id: string) => string>(whole, whole, whole, whole, whole, whole, whole, whole, whole, whole, (id) => encodeURIComponent(encodeURIComponent(id.toWellFormed())), (id) => id.replaceAll(/[^\w.~!$&'()*+,;=:@%-]/g, ''), () => '%E0%A4%A', () => '%00', () => '%2e%2e', () => '..;');
  return fc.record({ values: fc.record(Object.fromEntries(members)), hostile: fc.oneof({ arbitrary: fc.constant(undefined), weight: 6 }, { arbitrary: fc.constantFrom(...HOSTILE_TEXTS), weight: 1 }), spell }).map(({ values, hostile, spell: write }) =>
    path.replaceAll(/\{([^}]+)\}/g, (_all, name: string) => write(hostile ?? asText((values as Record<string, unknown>)[name]))),
  );
}

function queryOf(parameters: readonly Parameter[], document: OpenapiDocument, dictionary: Dictionary): fc.Arbitrary<string> {
  const inQuery = parameters.filter((parameter) => parameter.in === 'query');
  const members = inQuery.map(({ name, schema, required }) => [name, required === true ? valueOf(schema ?? {}, name, document, dictionary) : fc.option(valueOf(schema ?? {}, name, document, dictionary), { nil: undefined })] as const);
  const extra = fc.oneof(
    { arbitrary: fc.constant(undefined), weight: 5 },
    { arbitrary: fc.record({ at: fc.nat(20), value: fc.constantFrom(...HOSTILE_TEXTS), twice: fc.boolean() }), weight: 3 },
  );
  return fc.record({ values: fc.record(Object.fromEntries(members)), extra }).map(({ values, extra: change }) => {
    const pairs = Object.entries(values as Record<string, unknown>).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, asText(value)]]));
    if (change !== undefined) {
      const pair = pairs[change.at % Math.max(1, pairs.length)];
      if (pair === undefined) pairs.push(['unknown', change.value]);
      else if (change.twice) pairs.push([pair[0], change.value]);
      else pair[1] = change.value;
    }
    const query = pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value.toWellFormed())}`).join('&').slice(0, 12_000).replace(/%[0-9A-F]?$/, '');
    return query === '' ? '' : `?${query}`;
  });
}

const PREFER = ['respond-async', 'wait=0', 'wait=1', 'wait=01', 'wait=-1', 'wait=x', 'wait', 'wait="0"', 'respond-async, wait=0', 'RESPOND-ASYNC', ';;;=,,,', 'foo="bar; wait=0', 'a,'.repeat(2000), 'wait=99999999999999999999'];
const CONTENT_TYPES = ['application/json; charset=utf-8', 'application/json;charset="UTF-8"', 'APPLICATION/JSON', 'application/json; charset=utf-16', 'application/json; charset=', 'text/plain', 'text/json', 'application/xml', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded', 'application/jsonx', 'application/json/x', 'application', '/', ';', 'application/json, text/plain', 'application/vnd.api+json', `application/json;${' '.repeat(5000)}x`, `application/json;${'a=b;'.repeat(1500)}`];

function headersOf({ keys, login }: World, hasBody: boolean): fc.Arbitrary<Readonly<Record<string, string>>> {
  const wrongKeys = ['', 'Bearer', 'Bearer ', 'Bearer  x', 'bearer x', `Bearer ${'x'.repeat(600)}`, 'Bearer a b', 'Bearer rk_test_é', `Basic ${Buffer.from(login).toString('base64')}`, 'Basic !!!', 'Digest x', `Bearer ${keys.full}x`, `Bearer ${keys.full.slice(0, -1)}`, ...keys.others.map((key) => `Bearer ${key}`)];
  const sometimes = (values: readonly string[]) => fc.oneof({ arbitrary: fc.constant(undefined), weight: 6 }, { arbitrary: fc.constantFrom(...values), weight: 1 });
  const visible = HOSTILE_TEXTS.map((text) => text.replaceAll(/[^\x20-\x7e\xa0-\xff]/g, '').trim().slice(0, 4000));
  return fc
    .record({
      authorization: fc.oneof({ arbitrary: fc.constant(`Bearer ${keys.full}`), weight: 20 }, { arbitrary: fc.option(fc.constantFrom(...wrongKeys), { nil: undefined, freq: 4 }), weight: 1 }, { arbitrary: fc.nat().map((n) => `Bearer rk_made_up_${n}`), weight: 1 }),
      'content-type': hasBody ? fc.oneof({ arbitrary: fc.constant('application/json'), weight: 12 }, { arbitrary: fc.option(fc.constantFrom(...CONTENT_TYPES), { nil: undefined }), weight: 1 }) : sometimes(CONTENT_TYPES.slice(0, 3)),
      prefer: sometimes(PREFER),
      'idempotency-key': sometimes(['a', 'b', 'c'.repeat(255), 'd'.repeat(256), 'e f', ...visible]),
      'x-request-id': sometimes(['abcdefgh', 'a', 'x'.repeat(64), ...visible]),
      'x-forwarded-for': sometimes(visible),
      accept: sometimes(['*/*', 'text/html', 'application/xml', ...visible]),
      'accept-encoding': sometimes(['gzip', 'identity;q=0', '*;q=0']),
      origin: sometimes(['http://evil.example', 'null']),
      'if-none-match': sometimes(['*', '"x"']),
      range: sometimes(['bytes=0-', 'bytes=9-1,-']),
      'x-http-method-override': sometimes(['DELETE']),
    })
    .map((headers) => Object.fromEntries(Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined)));
}

/** From a good body to the text that is sent: as it is, with values replaced, taken out or put in, or with the text itself broken. */
const bending: fc.Arbitrary<(body: unknown) => string> = fc.oneof(
  { arbitrary: fc.constant((body: unknown) => JSON.stringify(body)), weight: 8 },
  {
    arbitrary: fc.array(fc.record({ at: fc.nat(), value: fc.constantFrom(...HOSTILE_VALUES), how: fc.constantFrom('replace', 'replace', 'remove', 'add', 'repeat') }), { minLength: 1, maxLength: 3 }).map((changes) => (body: unknown) => {
      let root: Root = { body: structuredClone(body) };
      for (const { at, value, how } of changes) root = changed(root, at, structuredClone(value), how);
      return JSON.stringify(root.body) ?? 'null';
    }),
    weight: 8,
  },
  {
    arbitrary: fc.record({ at: fc.nat(), json: fc.constantFrom(...HOSTILE_JSON) }).map(({ at, json }) => (body: unknown) => {
      const { body: marked } = changed({ body: structuredClone(body) }, at, 'Q-Q', 'replace');
      return JSON.stringify(marked).replace('"Q-Q"', () => json);
    }),
    weight: 3,
  },
  {
    arbitrary: fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), put: fc.constantFrom('', '"', '}', '{', ',', '\u0000', '\n', '\ufeff', '\\', '0', 'é', '\ud800') }).map(({ at, put }) => (body: unknown) => {
      const text = JSON.stringify(body);
      const place = Math.floor(at * text.length);
      return put === '' ? text.slice(0, place) : text.slice(0, place) + put + text.slice(place);
    }),
    weight: 2,
  },
);

type Parent = Record<string | number, unknown>;
type Root = Parent & { body: unknown };

/** One place of the tree, any of them, changed. */
function changed(root: Root, at: number, value: unknown, how: string): Root {
  const places: { readonly parent: Parent; readonly key: string | number }[] = [];
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null || places.length > 500) return;
    for (const key of Object.keys(node)) {
      places.push({ parent: node as Parent, key: Array.isArray(node) ? Number(key) : key });
      walk((node as Parent)[key]);
    }
  };
  walk(root);
  const outermost: (typeof places)[number] = { parent: root, key: 'body' };
  const { parent, key } = places[at % places.length] ?? outermost;
  if (how === 'remove') delete parent[key];
  else if (how === 'add' && typeof parent[key] === 'object' && parent[key] !== null && !Array.isArray(parent[key])) Object.assign(parent[key], { unknown: value });
  else if (how === 'repeat' && Array.isArray(parent[key])) parent[key] = [...(parent[key] as unknown[]), ...(parent[key] as unknown[])];
  else parent[key] = value;
  return root;
}

interface Encoded {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

const PLAIN = (text: string): Encoded => ({ body: Buffer.from(text), headers: {} });
const encoding: fc.Arbitrary<(text: string) => Encoded> = fc.oneof(
  { arbitrary: fc.constant(PLAIN), weight: 20 },
  {
    arbitrary: fc.constantFrom<(text: string) => Encoded>(
      (text) => ({ body: gzipSync(text), headers: { 'content-encoding': 'gzip' } }),
      (text) => ({ body: Buffer.from(text), headers: { 'content-encoding': 'gzip' } }),
      (text) => ({ body: Buffer.from(text), headers: { 'content-encoding': 'identity' } }),
      (text) => ({ body: Buffer.from(text), headers: { 'content-encoding': 'br, gzip' } }),
      () => ({ body: BOMB, headers: { 'content-encoding': 'gzip' } }),
      () => ({ body: BOMB, headers: {} }),
      (text) => ({ body: Buffer.from(text, 'utf16le'), headers: {} }),
      (text) => ({ body: Buffer.from(text, 'latin1'), headers: {} }),
      (text) => ({ body: Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)]), headers: {} }),
      (text) => ({ body: Buffer.concat([Buffer.from(text), Buffer.from([0xff, 0xfe, 0x00])]), headers: {} }),
      (text) => ({ body: Buffer.from(`${' '.repeat(200_000)}${text}`), headers: {} }),
      () => ({ body: Buffer.alloc(0), headers: {} }),
    ),
    weight: 1,
  },
);
/** 64 MiB of blanks in 64 KiB. */
const BOMB = gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20));

function parsed(body: Buffer | string | undefined): unknown {
  if (body === undefined) return undefined;
  try {
    return JSON.parse(body.toString().replace(/^\ufeff/, ''));
  } catch {
    return undefined;
  }
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
