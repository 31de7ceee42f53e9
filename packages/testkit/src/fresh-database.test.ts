import { describe, expect, test } from 'vitest';
import { databaseNumber, withDatabase } from './fresh-database.ts';

test('hands out every database but 0, then begins again', () => {
  const numbers = Array.from({ length: 64 }, (_, index) => databaseNumber(index + 1, 64));
  expect(new Set(numbers.slice(0, 63)).size).toBe(63);
  expect(Math.min(...numbers)).toBe(1);
  expect(Math.max(...numbers)).toBe(63);
  expect(numbers[63]).toBe(1);
});

describe('withDatabase', () => {
  test.each([
    ['redis://127.0.0.1:6379', 'redis://127.0.0.1:6379/7'],
    ['redis://127.0.0.1:6379/3', 'redis://127.0.0.1:6379/7'],
    ['redis://:secret@localhost:32768', 'redis://:secret@localhost:32768/7'],
    ['rediss://user:p%40ss@cache.example:6380/0?family=6', 'rediss://user:p%40ss@cache.example:6380/7?family=6'],
  ])('%s', (url, expected) => {
    expect(withDatabase(url, 7)).toBe(expected);
  });
});
