import fastify, { type FastifyInstance } from 'fastify';
import type { ApiDeps } from './api-deps.ts';
import { installBoard } from './board/install-board.ts';
import { answerBrokenHttp, followConnections } from './broken-http.ts';
import { compileCheckedSerializer, compileSerializer, compileValidator } from './json/compile-schemas.ts';
import { installAuthentication } from './plugins/authenticate.ts';
import { toRelayError } from './plugins/error-body.ts';
import { installErrors, sendError } from './plugins/errors.ts';
import { installHtmlHeaders } from './plugins/html-headers.ts';
import { installJsonBody } from './plugins/json-body.ts';
import { rememberRoutes } from './plugins/known-routes.ts';
import { installOpenapi } from './plugins/openapi.ts';
import { installRequestFacts, requestIdOf } from './plugins/request-facts.ts';
import { installApiRoutes, installOpsRoutes } from './routes/index.ts';
import { SERVER_LIMITS, installHttpRules } from './server-limits.ts';
import { createWaiting } from './waiting.ts';
import { installWebhook } from './whatsapp/webhook.ts';

/** The API is served under both, the same. */
const MOUNTS = ['/v1', '/api/v1'] as const;
/** Ids of events stand in paths, percent-encoded: 512 characters of up to 12 bytes each. */
const MAX_PARAM_LENGTH = 6144;

/** The whole HTTP edge. Never listens: `main.ts` does, tests inject. */
export async function buildApi(deps: ApiDeps): Promise<FastifyInstance> {
  const app = fastify({
    logger: false, // one line per request is written by request-facts.ts
    genReqId: requestIdOf,
    requestIdHeader: false,
    bodyLimit: deps.config.bodyLimitBytes,
    return503OnClosing: false, // what still arrives on an open connection is served
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    ...SERVER_LIMITS,
    clientErrorHandler: answerBrokenHttp,
    frameworkErrors: (error, _request, reply) => sendError(reply, toRelayError(error, deps.config.bodyLimitBytes)),
  });
  app.setValidatorCompiler(compileValidator);
  app.setSerializerCompiler(deps.config.checkResponses === true ? compileCheckedSerializer : compileSerializer);

  const routes = rememberRoutes(app);
  installRequestFacts(app, deps);
  followConnections(app);
  installHttpRules(app);
  installErrors(app, deps, routes);
  installJsonBody(app, deps);
  installHtmlHeaders(app);
  await installOpenapi(app);
  installOpsRoutes(app, deps);
  await installWebhook(app, deps);
  const waiting = createWaiting(app, deps.draining);
  for (const prefix of MOUNTS) {
    await app.register(
      async (mounted) => {
        installAuthentication(mounted, deps);
        installApiRoutes(mounted, { ...deps, waiting });
      },
      { prefix },
    );
  }
  if (deps.bullBoard !== undefined) await installBoard(app, deps.bullBoard, deps.now);
  await app.ready();
  return app;
}
