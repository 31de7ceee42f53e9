import { expect, test } from 'vitest';
import { waitFor } from './wait-for.ts';

test('returns the first answer that is not undefined, null or false', async () => {
  const answers = [undefined, null, false, 0];
  expect(await waitFor(() => answers.shift(), { everyMs: 1 })).toBe(0);
});

test('an answer that throws counts as not yet', async () => {
  let looks = 0;
  const answer = await waitFor(
    () => {
      looks += 1;
      if (looks < 3) throw new Error('too early');
      return 'done';
    },
    { everyMs: 1 },
  );
  expect(answer).toBe('done');
});

test('says what it waited for and what it saw last', async () => {
  await expect(waitFor(() => false, { timeoutMs: 20, everyMs: 1, what: 'the receipt' })).rejects.toThrow(
    'waited 20 ms for the receipt: the last answer was false',
  );
  const cause = new Error('connection refused');
  await expect(waitFor(() => Promise.reject(cause), { timeoutMs: 20, everyMs: 1 })).rejects.toMatchObject({
    message: 'waited 20 ms for a condition: the last look failed: connection refused',
    cause,
  });
});

test('is not held up by a question that is never answered', async () => {
  await expect(waitFor(() => new Promise<never>(() => {}), { timeoutMs: 20 })).rejects.toThrow('no answer came');
});
