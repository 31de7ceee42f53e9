import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Emulator, SandboxCore } from '../core/types.ts';
import { linkedinManagement } from '../linkedin-management/index.ts';
import { routeHandler } from './answer.ts';
import { conversionEvents } from './conversion-events.ts';
import { refuse } from './error-bodies.ts';
import { linkedinFacts } from './facts.ts';
import { linkedinFaultReply } from './faults.ts';
import { tokenEndpoint } from './oauth.ts';
import { createMinuteQuota } from './quota.ts';
import { createRuleBook } from './rule-book.ts';
import { createTokenStore } from './tokens.ts';

/** LinkedIn publishes no limit; this one only protects the sandbox. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** LinkedIn's token endpoint, conversion events and the management of rules, under `/linkedin`. */
export function linkedinEmulator(): Emulator {
  const resets: (() => void)[] = [];
  const partial = new WeakSet<FastifyRequest>();
  return {
    platform: 'linkedin',
    register(app, core) {
      resets.push(registerRoutes(app, core, (request) => partial.has(request)));
    },
    reset() {
      for (const forget of resets) forget();
    },
    faultReply: linkedinFaultReply,
    facts: linkedinFacts,
    markPartial: (request) => void partial.add(request),
  };
}

function registerRoutes(app: FastifyInstance, core: SandboxCore, isPartial: (request: FastifyRequest) => boolean): () => void {
  const tokens = createTokenStore(core);
  const quota = createMinuteQuota(core);
  const rules = createRuleBook();
  const management = linkedinManagement({ core, tokens, quota, rules });
  const route = { core, isPartial };

  // Bodies stay raw: each route has its own words for a body it cannot read.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES }, (_request, body, done) => {
    done(null, body);
  });
  app.post('/linkedin/oauth/accessToken', routeHandler(route, tokenEndpoint(core, tokens)));
  app.post('/linkedin/rest/conversionEvents', { bodyLimit: MAX_BODY_BYTES }, routeHandler(route, conversionEvents({ core, tokens, quota, rules })));
  // Its paths hold Rest.li keys, which a router would decode.
  app.all('/linkedin/rest/*', routeHandler(route, management.handle));
  app.all('/linkedin/*', routeHandler(route, () => refuse({ status: 404, code: 'RESOURCE_NOT_FOUND', message: 'No virtual resource found' })));
  return () => {
    tokens.reset();
    quota.reset();
    rules.reset();
    management.reset();
  };
}
