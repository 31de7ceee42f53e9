import { RelayError, assertNever } from '@relay/contract';
import { z } from 'zod';
import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { replayOneBodySchema, replayedOneSchema } from '../schemas/dead-letter.ts';
import { answerOf, errorAnswers } from '../schemas/error.ts';
import { DEAD_LETTER_NOT_FOUND, visibleDeadLetter } from '../visible-dead-letter.ts';

export function postDeadLetterReplay(app: ApiApp, deps: Pick<ApiDeps, 'deadLetters'>): void {
  const schema = {
    summary: 'Replay one dead letter',
    description: 'The same events with the same ids go the same way again. `force` also replays what the platform may count twice. A letter that cannot be replayed stays as it is: 422, and `error` says what helps.',
    tags: ['Dead letters'],
    params: z.object({ id: z.string().max(512) }),
    body: replayOneBodySchema,
    response: { 200: answerOf(replayedOneSchema), ...errorAnswers(404, 415, 422) },
  };
  app.post('/dead-letters/:id/replay', { config: { scope: 'manage', bodyOptional: true }, schema }, async (request) => {
    const { id } = await visibleDeadLetter(deps.deadLetters, callerOf(request), request.params.id);
    const result = await deps.deadLetters.replay(id, { force: request.body?.force ?? false });
    switch (result.kind) {
      case 'replayed':
        return { id, replayed: true, events: result.events, accountId: result.accountId };
      case 'refused':
        throw new RelayError('not_replayable', result.why);
      case 'not_found':
        throw new RelayError('dead_letter_not_found', DEAD_LETTER_NOT_FOUND);
      default:
        return assertNever(result);
    }
  });
}
