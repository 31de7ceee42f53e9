import { RelayError } from '@relay/contract';
import type { ApiKey, DeadLetter, DeadLetterStore } from '@relay/delivery';
import { mayUse } from './account-access.ts';

export const DEAD_LETTER_NOT_FOUND = 'There is no dead letter with this id.';

/** One answer for "not there" and "not yours". */
export async function visibleDeadLetter(deadLetters: Pick<DeadLetterStore, 'get'>, apiKey: ApiKey, id: string): Promise<DeadLetter> {
  const letter = await deadLetters.get(id);
  if (letter === undefined || !mayUse(apiKey, letter.accountId)) throw new RelayError('dead_letter_not_found', DEAD_LETTER_NOT_FOUND);
  return letter;
}
