import { RelayError } from '@relay/contract';
import { z } from 'zod';
import { accountOf } from '../account-access.ts';
import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { presentEventState } from '../present.ts';
import { eventSchema } from '../schemas/delivery.ts';
import { answerOf, errorAnswers } from '../schemas/error.ts';

export function getEvent(app: ApiApp, deps: Pick<ApiDeps, 'accounts' | 'deliveries' | 'config'>): void {
  const schema = {
    summary: 'Where one event stands',
    description: 'The event in all its deliveries, newest first. Kept for EVENT_INDEX_HOURS.',
    tags: ['Conversions'],
    params: z.object({ eventId: z.string().min(1).max(512) }),
    querystring: z.object({ accountId: z.string().min(1).max(512) }),
    response: { 200: answerOf(eventSchema), ...errorAnswers(404, 501) },
  };
  app.get('/events/:eventId', { config: { scope: 'read' }, schema }, async (request) => {
    const { eventId } = request.params;
    const { id: accountId, platform } = await accountOf(deps.accounts, callerOf(request), request.query.accountId);
    if (deps.config.eventIndexHours === 0) throw new RelayError('event_index_off', 'The event lookup is switched off on this relay (EVENT_INDEX_HOURS=0).');
    const states = await deps.deliveries.event(accountId, platform, eventId);
    const newest = states[0];
    if (newest === undefined) throw new RelayError('event_not_found', `No event with this id was seen on this account within ${deps.config.eventIndexHours} hours.`);
    return { eventId, accountId, platform, status: newest.status, deliveries: states.map(presentEventState) };
  });
}
