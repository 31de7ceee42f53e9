import type { FastifyInstance } from 'fastify';
import type { Emulator, SandboxCore } from '../core/types.ts';
import { createAdjustmentLedger } from '../google-ads/adjustment-ledger.ts';
import type { AdjustmentLedger } from '../google-ads/adjustment-ledger.ts';
import { googleAds } from '../google-ads/index.ts';
import { createActionStore } from './actions.ts';
import { routeHandler } from './answer.ts';
import { createConversionStore } from './conversions.ts';
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

/** Google's token endpoint, the two Data Manager calls and the parts of the Google Ads API the relay uses, under `/google`. */
export function googleEmulator(): Emulator {
  const resets: (() => void)[] = [];
  const ledger = createAdjustmentLedger();
  return {
    platform: 'google',
    register(app, core) {
      resets.push(registerRoutes(app, core, ledger));
    },
    reset() {
      for (const forget of resets) forget();
      ledger.reset();
    },
    registerControl: (app) => void app.get('/_control/adjustments', async (request) => ledger.read(request.query as Readonly<Record<string, string | undefined>>)),
    faultReply: googleFaultReply,
    facts: googleFacts,
  };
}

function registerRoutes(app: FastifyInstance, core: SandboxCore, ledger: AdjustmentLedger): () => void {
  const tokens = createTokenStore(core);
  const quota = createMinuteQuota(core);
  const statuses = createStatusStore();
  const actions = createActionStore();
  const conversions = createConversionStore(core);
  const parts = { core, tokens, quota, statuses, actions, conversions };
  const ads = googleAds({ core, tokens, actions, conversions, ledger });

  // Bodies stay raw: each route has its own words for a body it cannot read.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES }, (_request, body, done) => {
    done(null, body);
  });
  app.post('/google/oauth/token', routeHandler(core, tokenEndpoint(core, tokens)));
  // A double colon is find-my-way's way to write a plain one.
  app.post('/google/datamanager/v1/events::ingest', { bodyLimit: MAX_BODY_BYTES }, routeHandler(core, ingestEvents(parts)));
  app.get('/google/datamanager/v1/requestStatus::retrieve', routeHandler(core, retrieveStatus(parts)));
  // Its paths are matched by hand: `{id}:upload…` is no path of a router's.
  app.all('/google/ads/*', { bodyLimit: MAX_BODY_BYTES }, routeHandler(core, ads.handle));
  app.all('/google/*', routeHandler(core, () => errorAnswer({ code: 404, status: 'NOT_FOUND', message: 'Requested entity was not found.' })));
  return () => {
    tokens.reset();
    quota.reset();
    statuses.reset();
    actions.reset();
    conversions.reset();
    ads.reset();
  };
}
