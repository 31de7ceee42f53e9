import type { FastifyInstance } from 'fastify';
import type { Emulator, SandboxCore } from '../core/types.ts';
import { routeHandler } from './answer.ts';
import { errorAnswer } from './error-bodies.ts';
import { googleFacts } from './facts.ts';
import { googleFaultReply } from './faults.ts';
import { ingestEvents } from './ingest.ts';
import { tokenEndpoint } from './oauth.ts';
import { createMinuteQuota } from './quota.ts';
import { createStatusStore, retrieveStatus } from './request-status.ts';
import { createTokenStore } from './tokens.ts';

/** Google publishes no limit; this one only protects the sandbox. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** Google's token endpoint and the two Data Manager calls the relay uses, under `/google`. */
export function googleEmulator(): Emulator {
  const resets: (() => void)[] = [];
  return {
    platform: 'google',
    register(app, core) {
      resets.push(registerRoutes(app, core));
    },
    reset() {
      for (const forget of resets) forget();
    },
    faultReply: googleFaultReply,
    facts: googleFacts,
  };
}

function registerRoutes(app: FastifyInstance, core: SandboxCore): () => void {
  const tokens = createTokenStore(core);
  const quota = createMinuteQuota(core);
  const statuses = createStatusStore();
  const parts = { core, tokens, quota, statuses };

  // Bodies stay raw: each route has its own words for a body it cannot read.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES }, (_request, body, done) => {
    done(null, body);
  });
  app.post('/google/oauth/token', routeHandler(core, tokenEndpoint(core, tokens)));
  // A double colon is find-my-way's way to write a plain one.
  app.post('/google/datamanager/v1/events::ingest', { bodyLimit: MAX_BODY_BYTES }, routeHandler(core, ingestEvents(parts)));
  app.get('/google/datamanager/v1/requestStatus::retrieve', routeHandler(core, retrieveStatus(parts)));
  app.all('/google/*', routeHandler(core, () => errorAnswer({ code: 404, status: 'NOT_FOUND', message: 'Requested entity was not found.' })));
  return () => {
    tokens.reset();
    quota.reset();
    statuses.reset();
  };
}
