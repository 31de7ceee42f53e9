import type { SandboxCore } from '../core/types.ts';
import type { Answer, RawRequest } from '../linkedin/answer.ts';
import { refuse, throttled } from '../linkedin/error-bodies.ts';
import { headerOf, readVersion } from '../linkedin/headers.ts';
import type { MinuteQuota } from '../linkedin/quota.ts';
import type { RuleBook } from '../linkedin/rule-book.ts';
import { readSettings as readLinkedinSettings } from '../linkedin/settings.ts';
import type { TokenStore } from '../linkedin/tokens.ts';
import { Refused } from './call.ts';
import type { Call } from './call.ts';
import { rawQuery } from './restli.ts';
import { ROUTES } from './routes.ts';
import type { Route } from './routes.ts';
import { readSettings } from './settings.ts';
import type { ManagementSettings } from './settings.ts';
import { createWorld } from './world.ts';

export interface ManagementParts {
  readonly core: SandboxCore;
  readonly tokens: TokenStore;
  readonly quota: MinuteQuota;
  readonly rules: RuleBook;
}

const PREFIX = '/linkedin/rest/';
const NOT_FOUND = refuse({ status: 404, code: 'RESOURCE_NOT_FOUND', message: 'No virtual resource found' });

interface Target {
  readonly http: string;
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
}

/** A query too long for the address may come as the form body of a POST. */
function targetOf(request: RawRequest): Target {
  const [address = '', search = ''] = request.url.split(/\?(.*)/s);
  const path = address.slice(PREFIX.length);
  const override = headerOf(request.headers['x-http-method-override']).toUpperCase();
  const form = /^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? '');
  if (request.method !== 'POST' || override !== 'GET' || !form) return { http: request.method, path, query: rawQuery(search) };
  return { http: 'GET', path, query: rawQuery(request.raw.toString('utf8')) };
}

/** Rules, associations, accounts, campaigns and reports under `/linkedin/rest`. */
export function linkedinManagement({ core, tokens, quota, rules }: ManagementParts) {
  const world = createWorld(rules);

  function decide(request: RawRequest, { http, path, query }: Target): Answer {
    const settings = readSettings(core);
    if (request.url.length > settings.maxUrlLength) return { status: 414, headers: { 'content-type': 'text/html' }, body: '<html><body>414 Request-URI Too Large</body></html>' };
    const onPath = ROUTES.filter((candidate) => candidate.path.test(path) && (candidate.has === undefined || query.has(candidate.has)));
    const route = onPath.find((candidate) => candidate.http === http);
    if (route === undefined) return onPath.length === 0 ? NOT_FOUND : refuse({ status: 405, message: `Method ${http} is not supported by this resource` });
    const answer = run(request, { route, path, query }, settings);
    return { ...answer, route: `${PREFIX}${route.template}` };
  }

  function run(request: RawRequest, { route, path, query }: { readonly route: Route; readonly path: string; readonly query: Target['query'] }, settings: ManagementSettings): Answer {
    const linkedin = readLinkedinSettings(core);
    const resource = `${path.split('/')[0]}.${route.restli}`;
    const caller = tokens.authorise(request.headers.authorization, { scope: route.scope, resource });
    if ('refusal' in caller) return caller.refusal;
    const read = readVersion(request, linkedin);
    if ('refusal' in read) return read.refusal;
    const wrong = headerFault(request, route) ?? paramFault(query, route, settings);
    if (wrong !== undefined) return wrong;
    if (!quota.take(caller.token, linkedin.quotaPerMinute)) return throttled('MINUTE', linkedin.retryAfterSeconds);
    const key = route.path.exec(path)?.[1] ?? '';
    const call: Call = { resource, path, key, query, raw: request.raw, version: read.version, rejectUnknownFields: linkedin.rejectUnknownFields, settings, core, world, rules };
    try {
      return route.run(call);
    } catch (error) {
      if (error instanceof Refused) return refuse(error.envelope);
      throw error;
    }
  }

  return { handle: (request: RawRequest): Answer => decide(request, targetOf(request)), reset: () => world.reset() };
}

/** The method is inferred from verb and address; a header that says otherwise, or is missing where it decides, is refused. */
function headerFault({ headers }: RawRequest, { restli, needsHeader, http }: Route): Answer | undefined {
  const method = headerOf(headers['x-restli-method']).toUpperCase();
  if (method === '' ? needsHeader === true : method !== restli) {
    return refuse({ status: 400, message: method === '' ? `This request needs the header X-RestLi-Method: ${restli}` : `Method ${method} does not fit this request (${restli})` });
  }
  const hasBody = http === 'PUT' || http === 'POST';
  return hasBody && !/^application\/json\b/i.test(headers['content-type'] ?? '') ? refuse({ status: 415, message: 'Unsupported media type' }) : undefined;
}

function paramFault(query: ReadonlyMap<string, string>, { params }: Route, { rejectUnknownParams }: ManagementSettings): Answer | undefined {
  const unknown = rejectUnknownParams ? [...query.keys()].find((name) => !params.includes(name)) : undefined;
  return unknown === undefined ? undefined : refuse({ status: 400, code: 'QUERY_PARAM_NOT_ALLOWED', message: `Invalid query parameters passed to request: ${unknown}` });
}
