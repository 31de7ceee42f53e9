import { getQuality as qualityOf } from '@relay/platforms';
import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import { answerOf, errorAnswers } from '../schemas/error.ts';
import { UPSTREAM } from './destinations.ts';
import { NO_QUALITY } from './instead.ts';
import { accountGuard, managedAccount } from './managed-account.ts';
import { qualityQuery, qualitySchema } from './schemas.ts';

export function getQuality(app: ApiApp, deps: Pick<ApiDeps, 'accounts' | 'platforms' | 'runOperation'>): void {
  const schema = {
    summary: 'How well events match people',
    description: 'Meta: Event Match Quality of a pixel by event name; web events only, and without what Meta has seen too little of. Other platforms: 405.',
    tags: ['Conversions'],
    querystring: qualityQuery,
    response: { 200: answerOf(qualitySchema), ...errorAnswers(...UPSTREAM) },
  };
  const guard = accountGuard(deps, { in: 'query', instead: NO_QUALITY, insteadOfWhatsapp: 'Meta rates web events only; there is no quality of WhatsApp conversions.' });
  app.get('/ads/conversions/quality', { config: { scope: 'read' }, preValidation: guard, schema }, async (request) => {
    const account = managedAccount(request);
    const { destinationId } = request.query;
    return { platform: account.platform, rows: await deps.runOperation(account, (ctx) => qualityOf(ctx, destinationId)) };
  });
}
