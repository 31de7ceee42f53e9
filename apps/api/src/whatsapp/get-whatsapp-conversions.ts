import { z } from 'zod';
import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { answerOf, errorAnswers } from '../schemas/error.ts';
import { limitField } from '../schemas/registry.ts';
import { whatsappRowsSchema } from './schemas.ts';
import { whatsappAccountOf } from './whatsapp-account.ts';

export function getWhatsappConversions(app: ApiApp, deps: Pick<ApiDeps, 'accounts' | 'deliveries'>): void {
  const schema = {
    summary: 'Recent WhatsApp conversions',
    description: 'From the delivery log, newest first, as far back as it is kept.',
    tags: ['WhatsApp'],
    querystring: z.object({ accountId: z.string().min(1).max(512), limit: limitField(50, 200) }),
    response: { 200: answerOf(whatsappRowsSchema), ...errorAnswers(404, 405) },
  };
  app.get('/whatsapp/conversions', { config: { scope: 'read' }, schema }, async (request) => {
    const { accountId, limit } = request.query;
    await whatsappAccountOf(deps, callerOf(request), accountId);
    const page = await deps.deliveries.recent({ accountId, platform: 'whatsapp', limit, cursor: undefined, status: undefined });
    return {
      events: page.rows.map((row) => ({
        timestamp: new Date(row.acceptedAtMs).toISOString(),
        eventName: row.eventNames[0] ?? '',
        conversationId: row.conversationId ?? null,
        eventsReceived: row.eventsReceived,
        eventsFailed: row.eventsFailed,
        traceId: row.traceId ?? null,
        durationMs: row.durationMs ?? null,
        deliveryId: row.deliveryId,
        status: row.status,
      })),
    };
  });
}
