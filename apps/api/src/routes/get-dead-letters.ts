import { z } from 'zod';
import { requireAccess, visibleAccounts } from '../account-access.ts';
import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { presentDeadLetter } from '../present.ts';
import { deadLetterFilterFields, deadLettersSchema } from '../schemas/dead-letter.ts';
import { answerOf, errorAnswers } from '../schemas/error.ts';
import { cursorField, limitField } from '../schemas/registry.ts';

const querySchema = z.object({ ...deadLetterFilterFields, limit: limitField(50, 200), cursor: cursorField });

export function getDeadLetters(app: ApiApp, deps: Pick<ApiDeps, 'deadLetters'>): void {
  const schema = {
    summary: 'Dead letters',
    description: 'Newest first. A letter holds the events of one chunk that died of one cause.',
    tags: ['Dead letters'],
    querystring: querySchema,
    response: { 200: answerOf(deadLettersSchema), ...errorAnswers() },
  };
  app.get('/dead-letters', { config: { scope: 'read' }, schema }, async (request) => {
    const { limit, cursor, ...filter } = request.query;
    const apiKey = callerOf(request);
    if (filter.accountId !== undefined) requireAccess(apiKey, filter.accountId);
    const page = await deps.deadLetters.list({ ...filter, accounts: visibleAccounts(apiKey) }, limit, cursor);
    return { deadLetters: page.rows.map(presentDeadLetter), nextCursor: page.nextCursor ?? null };
  });
}
