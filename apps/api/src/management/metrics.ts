import { MANAGEMENT } from '@relay/platforms';
import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import { answerOf, errorAnswers } from '../schemas/error.ts';
import { UPSTREAM, present } from './destinations.ts';
import { NO_METRICS, WHATSAPP } from './instead.ts';
import { accountGuard, managedAccount } from './managed-account.ts';
import { destinationParams, metricsQuery, metricsSchema } from './schemas.ts';

export function getMetrics(app: ApiApp, deps: Pick<ApiDeps, 'accounts' | 'platforms' | 'runOperation'>): void {
  const schema = {
    summary: 'What was attributed to a destination',
    description: 'LinkedIn: attribution of one rule. DAILY goes back 6 months, MONTHLY and YEARLY 24. Nothing to report and no permission to report look the same to LinkedIn: no rows. Other platforms: 405.',
    tags: ['Destinations'],
    params: destinationParams,
    querystring: metricsQuery,
    response: { 200: answerOf(metricsSchema), ...errorAnswers(...UPSTREAM) },
  };
  const guard = accountGuard(deps, { in: 'params', instead: NO_METRICS, insteadOfWhatsapp: WHATSAPP });
  app.get('/accounts/:accountId/conversion-destinations/:destinationId/metrics', { config: { scope: 'read' }, preValidation: guard, schema }, async (request) => {
    const account = managedAccount(request);
    const { adAccountId, ...query } = request.query;
    const ref = { destinationId: request.params.destinationId, adAccountId };
    return { platform: account.platform, ...(await deps.runOperation(account, (ctx) => present(MANAGEMENT[account.platform].getMetrics)(ctx, ref, query))) };
  });
}
