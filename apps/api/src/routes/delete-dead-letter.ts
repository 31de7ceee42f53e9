import { RelayError } from '@relay/contract';
import { z } from 'zod';
import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { errorAnswers, noContent } from '../schemas/error.ts';
import { DEAD_LETTER_NOT_FOUND, visibleDeadLetter } from '../visible-dead-letter.ts';

export function deleteDeadLetter(app: ApiApp, deps: Pick<ApiDeps, 'deadLetters'>): void {
  const schema = {
    summary: 'Discard a dead letter',
    description: 'Its events stay counted as dead.',
    tags: ['Dead letters'],
    params: z.object({ id: z.string().max(512) }),
    response: { 204: noContent, ...errorAnswers(404) },
  };
  app.delete('/dead-letters/:id', { config: { scope: 'manage' }, schema }, async (request, reply) => {
    const { id } = await visibleDeadLetter(deps.deadLetters, callerOf(request), request.params.id);
    if (!(await deps.deadLetters.discard(id))) throw new RelayError('dead_letter_not_found', DEAD_LETTER_NOT_FOUND);
    return reply.code(204).send();
  });
}
