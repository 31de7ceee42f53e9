import { DELIVERY_STATUSES } from '@relay/delivery';
import { z } from 'zod';
import { accountOf, requireAds } from '../account-access.ts';
import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { presentRow } from '../present.ts';
import { recentSchema } from '../schemas/delivery.ts';
import { answerOf, errorAnswers } from '../schemas/error.ts';
import { cursorField, limitField } from '../schemas/registry.ts';

const querySchema = z.object({
  accountId: z.string().min(1).max(512),
  limit: limitField(50, 200),
  cursor: cursorField,
  status: z.enum(DELIVERY_STATUSES).optional(),
});

export function getConversions(app: ApiApp, deps: Pick<ApiDeps, 'accounts' | 'deliveries'>): void {
  const schema = {
    summary: 'Recent conversions',
    description: 'The delivery log of an ads account, newest first: one row per request.',
    tags: ['Conversions'],
    querystring: querySchema,
    response: { 200: answerOf(recentSchema), ...errorAnswers(404, 405) },
  };
  app.get('/ads/conversions', { config: { scope: 'read' }, schema }, async (request) => {
    const { accountId, limit, cursor, status } = request.query;
    const { platform } = requireAds(await accountOf(deps.accounts, callerOf(request), accountId), 'GET /v1/whatsapp/conversions');
    const page = await deps.deliveries.recent({ accountId, platform, limit, cursor, status });
    return { platform, conversions: page.rows.map(presentRow), nextCursor: page.nextCursor ?? null };
  });
}
