import { z } from 'zod';
import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { presentDeadLetter } from '../present.ts';
import { deadLetterSchema } from '../schemas/dead-letter.ts';
import { answerOf, errorAnswers } from '../schemas/error.ts';
import { visibleDeadLetter } from '../visible-dead-letter.ts';

export function getDeadLetter(app: ApiApp, deps: Pick<ApiDeps, 'deadLetters'>): void {
  const schema = {
    summary: 'One dead letter',
    tags: ['Dead letters'],
    params: z.object({ id: z.string().max(512) }),
    response: { 200: answerOf(deadLetterSchema), ...errorAnswers(404) },
  };
  app.get('/dead-letters/:id', { config: { scope: 'read' }, schema }, async (request) =>
    presentDeadLetter(await visibleDeadLetter(deps.deadLetters, callerOf(request), request.params.id)),
  );
}
