import { requireAccess } from '../account-access.ts';
import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { replayMany } from '../replay-many.ts';
import { replayManyBodySchema, replayedManySchema } from '../schemas/dead-letter.ts';
import { answerOf, errorAnswers } from '../schemas/error.ts';

export function postDeadLettersReplay(app: ApiApp, deps: Pick<ApiDeps, 'deadLetters' | 'now'>): void {
  const schema = {
    summary: 'Replay dead letters by filter',
    description: 'Replays the letters that fit every given field and tells how many went out again.',
    tags: ['Dead letters'],
    body: replayManyBodySchema,
    response: { 200: answerOf(replayedManySchema), ...errorAnswers(415) },
  };
  app.post('/dead-letters/replay', { config: { scope: 'manage' }, schema }, async (request) => {
    const apiKey = callerOf(request);
    if (request.body.accountId !== undefined) requireAccess(apiKey, request.body.accountId);
    return replayMany(deps, apiKey, request.body);
  });
}
