import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import type { Emulator, RequestFacts, SandboxCore } from '../core/types.ts';
import { accessRefusal, unknownObject, unknownPath, unsupported, versionRefusal } from '../meta/access.ts';
import { badParameter, errorBody, newTraceId } from '../meta/errors.ts';
import type { Refusal } from '../meta/errors.ts';
import { metaFaultReply } from '../meta/fault-replies.ts';
import { paramOf, tokenOf } from '../meta/params.ts';
import { parseFields } from './fields.ts';
import { graphAt } from './graph.ts';
import type { Edge, Graph, Node } from './graph.ts';
import { permissionRefusal, qualityAnswer } from './quality.ts';
import { GraphRefusal, renderEdge } from './render.ts';
import type { RenderOptions } from './render.ts';

type Params = { readonly version: string; readonly objectId?: string };
type Body = Readonly<Record<string, unknown>>;
type Decide = (request: FastifyRequest, version: string, core: SandboxCore) => Body | Refusal;

const BUSINESS_EDGES = ['owned_pixels', 'client_pixels'] as const;

const isRefusal = (answer: Body | Refusal): answer is Refusal => 'type' in answer && 'code' in answer && 'status' in answer;

const businessRefusal: Refusal = { status: 403, type: 'OAuthException', code: 200, message: '(#200) Requires business_management permission to manage the object' };

function optionsOf(request: FastifyRequest, version: string, core: SandboxCore): RenderOptions {
  const token = tokenOf(request) ?? '';
  return {
    pageSize: core.switchOf<number>('meta.pageSize', 25),
    maxPageSize: core.switchOf<number>('meta.maxPageSize', 100),
    emptyEdge: core.switchOf<'absent' | 'list'>('meta.emptyEdge', 'absent'),
    base: `${request.protocol}://${request.host}/meta/${version}`,
    token: core.switchOf<boolean>('meta.nextCarriesToken', true) ? token : '',
  };
}

function listEdge(request: FastifyRequest, version: string, { edge, core }: { readonly edge: Edge; readonly core: SandboxCore }): Body | Refusal {
  const fields = paramOf(request, 'fields');
  const picks = fields === undefined || fields === '' ? undefined : parseFields(fields);
  if (fields && picks === undefined) return badParameter('Syntax error in the fields parameter');
  const sorted = filteredBy(request, edge);
  if ('status' in sorted) return sorted;
  try {
    return renderEdge(sorted, picks, { limit: paramOf(request, 'limit'), after: paramOf(request, 'after') }, optionsOf(request, version, core));
  } catch (error) {
    if (error instanceof GraphRefusal) return error.refusal;
    throw error;
  }
}

/** `sort_by` of an account's pixels, `name_filter` and `id_filter` of a business'. */
function filteredBy(request: FastifyRequest, edge: Edge): Edge | Refusal {
  if (!edge.path.endsWith('/adspixels')) return edge;
  const sortBy = paramOf(request, 'sort_by');
  if (sortBy !== undefined && sortBy !== 'NAME' && sortBy !== 'LAST_FIRED_TIME') return badParameter('Param sort_by must be one of {LAST_FIRED_TIME, NAME}');
  const name = paramOf(request, 'name_filter')?.toLowerCase();
  const id = paramOf(request, 'id_filter');
  const text = (node: Node, field: string) => (node[field] as string | undefined) ?? '';
  const nodes = edge.nodes.filter((node) => (name === undefined || text(node, 'name').toLowerCase().includes(name)) && (id === undefined || node.id === id));
  if (sortBy === 'NAME') nodes.sort((left, right) => text(left, 'name').localeCompare(text(right, 'name')));
  if (sortBy === 'LAST_FIRED_TIME') nodes.sort((left, right) => text(right, 'last_fired_time').localeCompare(text(left, 'last_fired_time')));
  return { ...edge, nodes };
}

const businessAllowed = (core: SandboxCore) => core.switchOf<boolean>('meta.businessAccess', true);

/** An edge of an object that the path names. */
function objectEdge(edgeName: string): Decide {
  return (request, version, core) => {
    const { objectId = '' } = request.params as Params;
    const edge: ReturnType<Graph['edgeOf']> = graphAt(core.now()).edgeOf(objectId, edgeName);
    // Of an ad account or a business that is not there Graph says the same as of one that is out of reach.
    if (edge === undefined) return /^(?:act_)?\d+$/.test(objectId) ? unsupported('get', objectId) : unknownObject(objectId, 'get');
    if (!objectId.startsWith('act_') && !businessAllowed(core)) return businessRefusal;
    return listEdge(request, version, { edge, core });
  };
}

const quality: Decide = (request, _version, core) =>
  qualityAnswer({ datasetId: paramOf(request, 'dataset_id'), fields: paramOf(request, 'fields') }, core);

const DECISIONS: Readonly<Record<string, Decide>> = {
  'me/adaccounts': (request, version, core) => listEdge(request, version, { edge: graphAt(core.now()).adAccounts, core }),
  'me/businesses': (request, version, core) => (businessAllowed(core) ? listEdge(request, version, { edge: graphAt(core.now()).businesses, core }) : businessRefusal),
  ':objectId/adspixels': objectEdge('adspixels'),
  ...Object.fromEntries(BUSINESS_EDGES.map((name) => [`:objectId/${name}`, objectEdge(name)])),
  dataset_quality: quality,
};

function factsOf(request: FastifyRequest): RequestFacts {
  const { objectId } = request.params as Params;
  const ids = [objectId, paramOf(request, 'dataset_id')];
  return { token: tokenOf(request), destinationIds: ids.filter((id) => id !== undefined) };
}

/** Meta's listing edges and dataset quality: beside the events of `metaEmulator`, under the same prefix and with its access rules. */
export function metaManagementEmulator(): Emulator {
  function route(app: FastifyInstance, core: SandboxCore, rest: string, decide: Decide): void {
    const url = `/meta/:version/${rest}`;

    function handle(request: FastifyRequest, reply: FastifyReply): unknown {
      const { version } = request.params as Params;
      const traceId = newTraceId();
      const answer = answerTo(request, version);
      const status = isRefusal(answer) ? answer.status : 200;
      core.requested({ platform: 'meta', route: url, status, events: 0, bytes: Number(request.headers['content-length'] ?? 0), tookMs: reply.elapsedTime });
      reply.code(status).headers({ 'x-fb-trace-id': traceId, 'facebook-api-version': version });
      return reply.send(isRefusal(answer) ? errorBody(answer, traceId) : answer);
    }

    function answerTo(request: FastifyRequest, version: string): Body | Refusal {
      const wrongVersion = versionRefusal(version, core);
      if (wrongVersion !== undefined) return wrongVersion;
      // Dataset quality has a code of its own for the missing permission.
      if (rest === 'dataset_quality' && core.tokenState('meta', tokenOf(request) ?? '') === 'no_scope') return permissionRefusal;
      return accessRefusal(request, version, core) ?? (request.method === 'GET' ? decide(request, version, core) : unknownMethod(request));
    }

    app.route({ method: ['GET', 'POST', 'DELETE'], url, exposeHeadRoute: false, handler: handle });
  }

  const unknownMethod = (request: FastifyRequest): Refusal => {
    const { objectId } = request.params as Params;
    return objectId === undefined ? unknownPath(request.url.split('?', 1)[0]?.split('/').slice(3).join('/') ?? '') : unsupported(request.method.toLowerCase(), objectId);
  };

  return {
    platform: 'meta',
    register(app, core) {
      app.removeAllContentTypeParsers();
      // Only reads live here; what a body says is not looked at.
      app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => done(null, undefined));
      for (const [rest, decide] of Object.entries(DECISIONS)) route(app, core, rest, decide);
    },
    reset: () => undefined, // it remembers nothing
    faultReply: metaFaultReply,
    facts: factsOf,
  };
}
