import { RelayError } from '@relay/contract';
import type { AcceptedEvent, AcceptedRequest, Account, Failure } from '@relay/delivery';
import { ADJUSTMENT_TYPES, MAX_ADJUSTMENTS, adjustmentIdentity, adjustmentToItem, googleAds } from '@relay/platforms';
import { z } from 'zod';
import { accountOf } from '../account-access.ts';
import { sendAndAnswer, type SendNeeds, type State } from '../answer-delivery.ts';
import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { presentFailures } from '../present.ts';
import { adjustedSchema, adjustmentsPendingSchema } from '../schemas/adjustment.ts';
import { answerOf, errorAnswers } from '../schemas/error.ts';

const text = (max: number) => z.string().max(max).refine((value) => value.isWellFormed(), 'contains a lone surrogate; send well-formed Unicode');
const seconds = z.number().nonnegative().max(99_999_999_999, 'is in milliseconds; times are in unix seconds');

const bodySchema = z.object({
  accountId: z.string().min(1).max(512),
  destinationId: z.string().min(1).max(512),
  adjustments: z
    .array(
      z.object({
        adjustmentType: z.enum(ADJUSTMENT_TYPES),
        adjustmentTime: seconds,
        orderId: text(512).optional(),
        gclid: text(2048).optional(),
        conversionTime: seconds.optional(),
        restatementValue: z.number().optional(),
        currency: text(512).optional(),
        user: z.object({ email: text(2048).optional(), phone: text(2048).optional() }).optional(),
        userAgent: text(2048).optional(),
      }),
    )
    .min(1, 'needs at least one adjustment')
    .max(MAX_ADJUSTMENTS),
});
type Body = z.output<typeof bodySchema>;

export function postAdjustments(app: ApiApp, deps: Pick<ApiDeps, 'accounts' | 'now'> & SendNeeds): void {
  const schema = {
    summary: 'Adjust conversions (Google Ads)',
    description:
      'Retract, restate or enhance conversions that were sent. Goes through the same queue as conversions: durable, retried, held, dead-lettered. `orderId` is the `eventId` that was sent.',
    tags: ['Conversions'],
    body: bodySchema,
    response: { 200: answerOf(adjustedSchema), 202: answerOf(adjustmentsPendingSchema, 'Queued; ask the statusUrl'), ...errorAnswers(404, 405, 413, 415, 422) },
  };
  app.post('/ads/conversions/adjustments', { config: { scope: 'send' }, schema }, async (request, reply) => {
    const account = await googleAccountOf(deps, request);
    const destination = googleAds.parseDestination(request.body.destinationId);
    if (!destination.ok) throw new RelayError('invalid_destination', destination.message, { param: 'destinationId', platform: account.platform });
    const accepted = accept(account, destination.destinationId, request.body, deps.now());
    return sendAndAnswer(deps, request, reply, accepted, { counts: adjustmentCounts });
  });
}

async function googleAccountOf(deps: Pick<ApiDeps, 'accounts'>, request: Parameters<typeof callerOf>[0] & { readonly body: Body }): Promise<Account> {
  const account = await accountOf(deps.accounts, callerOf(request), request.body.accountId);
  if (account.platform !== 'googleads') {
    throw new RelayError('wrong_platform', 'Only Google Ads takes adjustments. On other platforms a conversion cannot be changed once it was sent.', { param: 'accountId', platform: account.platform });
  }
  if (account.status === 'disabled') {
    throw new RelayError('account_disabled', 'This account is disabled. Set its status to active to send again.', { param: 'accountId', platform: account.platform });
  }
  return account;
}

function accept(account: Account, destinationId: string, body: Body, nowMs: number): AcceptedRequest {
  const events: AcceptedEvent[] = [];
  const refused: Failure[] = [];
  const firstOf = new Map<string, number>();
  for (const [index, adjustment] of body.adjustments.entries()) {
    // Looked up and listed by the order; one that is named by its click has no id of its own.
    const eventId = adjustment.orderId ?? `adjustment-${index}`;
    const item = adjustmentToItem(adjustment, { nowMs, destinationId });
    if (item.kind === 'refused') {
      refused.push({ eventIndex: index, eventId, code: item.code, message: item.message });
      continue;
    }
    const identity = adjustmentIdentity(adjustment);
    const first = firstOf.get(identity);
    if (first === undefined) {
      firstOf.set(identity, index);
      events.push({ index, eventId, wire: item.wire, expiresAtMs: item.expiresAtMs });
    } else {
      refused.push({ eventIndex: index, eventId, code: 'duplicate_adjustment', message: `adjustments[${first}] is the same adjustment; Google Ads takes it once in a request.` });
    }
  }
  return {
    platform: 'googleads',
    accountId: account.id,
    destinationId,
    testCode: undefined,
    consent: undefined,
    events,
    refused,
    eventsSubmitted: body.adjustments.length,
    eventNames: [...new Set(body.adjustments.map(({ adjustmentType }) => adjustmentType))],
    kind: 'adjustment',
    acceptedAtMs: nowMs,
    maxChunkEvents: MAX_ADJUSTMENTS,
    maxChunkBytes: googleAds.maxRequestBytes,
  };
}

function adjustmentCounts(state: State): object {
  return {
    adjustmentsReceived: state.eventsReceived,
    adjustmentsFailed: state.eventsFailed,
    failures: presentFailures(state).map(({ eventIndex, message, code }) => ({ adjustmentIndex: eventIndex, message, code })),
  };
}
