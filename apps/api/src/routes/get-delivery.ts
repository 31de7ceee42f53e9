import { RelayError } from '@relay/contract';
import { z } from 'zod';
import { mayUse } from '../account-access.ts';
import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { presentDelivery } from '../present.ts';
import { deliverySchema } from '../schemas/delivery.ts';
import { answerOf, errorAnswers } from '../schemas/error.ts';

export function getDelivery(app: ApiApp, deps: Pick<ApiDeps, 'deliveries'>): void {
  const schema = {
    summary: 'The state of one request',
    description: 'Counts, failures, and the chunks with their attempts, trace ids and timings.',
    tags: ['Conversions'],
    params: z.object({ deliveryId: z.string().max(512) }),
    response: { 200: answerOf(deliverySchema), ...errorAnswers(404) },
  };
  app.get('/deliveries/:deliveryId', { config: { scope: 'read' }, schema }, async (request) => {
    const delivery = await deps.deliveries.get(request.params.deliveryId);
    // One answer for "not there" and "not yours": ids of others cannot be probed.
    if (delivery === undefined || !mayUse(callerOf(request), delivery.accountId)) throw new RelayError('delivery_not_found', 'There is no delivery with this id, or it is no longer kept.');
    return presentDelivery(delivery);
  });
}
