import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import type { Emulator, RequestFacts, SandboxCore } from '../core/types.ts';
import { registerWhatsappControl } from '../whatsapp/control.ts';
import { datasetEdge } from '../whatsapp/dataset-edge.ts';
import { createWhatsappWorld } from '../whatsapp/world.ts';
import { unknownPath, unsupported, versionRefusal } from './access.ts';
import { errorBody, newTraceId } from './errors.ts';
import type { Refusal } from './errors.ts';
import { metaFaultReply } from './fault-replies.ts';
import { eventsOf, parseJson, tokenOf } from './params.ts';
import { postEvents } from './post-events.ts';

const TOO_LARGE_STATUS = 413;

/** JSON and urlencoded bodies; what is neither has no parameters, which Graph answers in its own words. */
function addParsers(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, parseJson(body.toString())));
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
    done(null, Object.fromEntries(new URLSearchParams(body.toString()))),
  );
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => done(null, undefined));
}

function factsOf(request: FastifyRequest): RequestFacts {
  const { datasetId } = request.params as { readonly datasetId?: string };
  const events = eventsOf(request);
  const ids = 'status' in events ? [] : events.map((event) => (event as { event_id?: unknown } | null)?.event_id);
  return {
    token: tokenOf(request),
    destinationIds: datasetId === undefined ? [] : [datasetId],
    eventIds: ids.filter((id) => typeof id === 'string'),
  };
}

/** The `events` edge knows only POST, `dataset` only GET and POST, and no other edge exists here. */
function pathRefusal(request: FastifyRequest, core: SandboxCore): Refusal {
  const [version = '', id = '', edge, ...rest] = (request.params as { '*': string })['*'].split('/');
  const wrongVersion = versionRefusal(version, core);
  if (wrongVersion !== undefined) return wrongVersion;
  if (rest.length === 0 && (edge === undefined || edge === 'events' || edge === 'dataset')) return unsupported(request.method.toLowerCase(), id);
  return unknownPath([edge ?? '', ...rest].join('/'));
}

/** Meta's Conversions API as its pages describe it; strict, and deaf to repeated event ids so that duplicates show. */
export function metaEmulator(): Emulator {
  const partial = new WeakSet<FastifyRequest>();
  const world = createWhatsappWorld();
  let registered: SandboxCore | undefined;

  function register(app: FastifyInstance, core: SandboxCore): void {
    registered = core;
    addParsers(app);

    function refuse(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): unknown {
      const bytes = Number(request.headers['content-length'] ?? 0);
      core.requested({ platform: 'meta', route: '/meta/*', status: refusal.status, events: 0, bytes, tookMs: reply.elapsedTime });
      return reply.code(refusal.status).send(errorBody(refusal, newTraceId()));
    }

    app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
      if (error.statusCode === TOO_LARGE_STATUS) return reply.code(TOO_LARGE_STATUS).type('text/html').send('<html><body>413 Request Entity Too Large</body></html>');
      request.log.error({ err: error }, 'sandbox.meta_failed');
      return refuse(request, reply, { status: 500, type: 'OAuthException', code: 1, message: 'An unknown error occurred' });
    });
    app.post('/meta/:version/:datasetId/events', postEvents(core, world, partial));
    app.route({ method: ['GET', 'POST'], url: '/meta/:version/:datasetId/dataset', exposeHeadRoute: false, handler: datasetEdge(core, world) });
    app.all('/meta/*', (request, reply) => refuse(request, reply, pathRefusal(request, core)));
  }

  return {
    platform: 'meta',
    register,
    registerControl: (app) =>
      registerWhatsappControl(app, world, () => {
        if (registered === undefined) throw new Error('a control route was called before the emulator was registered');
        return registered;
      }),
    // What was taken is in the core's record.
    reset: () => world.reset(),
    faultReply: metaFaultReply,
    facts: factsOf,
    markPartial: (request) => void partial.add(request),
  };
}
