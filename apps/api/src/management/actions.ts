import { RelayError } from '@relay/contract';
import { createConversionAction, listConversionActions } from '@relay/platforms';
import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import { noteFacts } from '../plugins/note-facts.ts';
import { answerOf, errorAnswers } from '../schemas/error.ts';
import { createCachedActions } from './cached-actions.ts';
import { NO_ACTIONS } from './instead.ts';
import { accountGuard, managedAccount } from './managed-account.ts';
import { noteWarnings } from './note-warnings.ts';
import { actionsQuery, actionsSchema, createActionSchema, createdActionSchema } from './schemas.ts';

type Needs = Pick<ApiDeps, 'accounts' | 'platforms' | 'runOperation' | 'actionCache' | 'logger' | 'now'>;

const TAGS = ['Conversion actions'];
const GUARD = { instead: NO_ACTIONS, insteadOfWhatsapp: 'Conversion actions are a thing of Google Ads; this is a WhatsApp account.', code: 'not_implemented' } as const;

/** Both, since making one ends what the list remembers. */
export function conversionActions(app: ApiApp, deps: Needs): void {
  const cached = createCachedActions({ cache: deps.actionCache, logger: deps.logger, now: deps.now });
  getActions(app, deps, cached);
  postAction(app, deps, cached);
}
type Cached = ReturnType<typeof createCachedActions>;

function getActions(app: ApiApp, deps: Needs, cached: Cached): void {
  const schema = {
    summary: 'List conversion actions of Google Ads',
    description:
      'Of one customer, with their tag snippets. Read from Google at most once an hour (`cachedAt`); where that fails and may pass, the last good list of up to 7 days is shown with `stale: true`. A spent quota of Google is a 429 with `details.quotaExhausted`. Other platforms: 501.',
    tags: TAGS,
    querystring: actionsQuery,
    response: { 200: answerOf(actionsSchema), ...errorAnswers(404, 422, 429, 501, 502, 504) },
  };
  app.get('/ads/conversions/actions', { config: { scope: 'read' }, preValidation: accountGuard(deps, { in: 'query', ...GUARD }), schema }, async (request) => {
    const account = managedAccount(request);
    const { adAccountId = request.query.customerId, type } = request.query;
    const { customerId, actions, readAtMs, stale } = await cached.list(account, adAccountId, async () => {
      const { warnings, ...list } = await deps.runOperation(account, (ctx) => listConversionActions(ctx, { adAccountId }));
      noteWarnings(request, warnings);
      return list;
    });
    noteFacts(request, { cached: readAtMs !== undefined, stale });
    return {
      customerId,
      actions: actions.filter((action) => type === undefined || action.type === type),
      cachedAt: readAtMs === undefined ? null : new Date(readAtMs).toISOString(),
      stale,
    };
  });
}

function postAction(app: ApiApp, deps: Needs, cached: Cached): void {
  const schema = {
    summary: 'Create a conversion action of Google Ads',
    description: 'Of type WEBPAGE; its tag snippets come with the answer. Actions for events that the relay sends are made as conversion destinations. Other platforms: 501.',
    tags: TAGS,
    body: createActionSchema,
    response: { 201: answerOf(createdActionSchema, 'Created'), ...errorAnswers(404, 409, 413, 415, 422, 429, 501, 502, 504) },
  };
  app.post('/ads/conversions/actions', { config: { scope: 'manage' }, preValidation: accountGuard(deps, { in: 'body', ...GUARD }), schema }, async (request, reply) => {
    const account = managedAccount(request);
    const { accountId: _account, customerId, adAccountId = customerId, ...input } = request.body;
    try {
      const { action } = await deps.runOperation(account, (ctx) => createConversionAction(ctx, { ...input, adAccountId }));
      noteFacts(request, { actionId: action.id });
      await cached.outdate(account);
      return reply.code(201).send({ action });
    } catch (error) {
      if (isOpen(error)) await cached.outdate(account);
      throw error;
    }
  });
}

/** It may have been made all the same, so that the next list must be read anew. */
function isOpen(error: unknown): boolean {
  return error instanceof RelayError && (error.code === 'platform_timeout' || (error.extras.details as { maybeDone?: boolean } | undefined)?.maybeDone === true);
}
