/** Where an event of a file lacks what the API asks for, before anything is sent. */
export type PreparedEvent = { readonly event: Readonly<Record<string, unknown>> } | { readonly fault: string };

/**
 * One event as the API takes it. `secondsAgo` in place of `eventTime` (as in the sample files) becomes the time that many
 * seconds before `rebaseTo` (unix seconds); below zero, after it. `rebaseTo` undefined: the file's times are sent as they are.
 */
export function prepareEvent(value: unknown, rebaseTo: number | undefined): PreparedEvent {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { fault: 'is not a JSON object' };
  const { secondsAgo, ...event } = value as Readonly<Record<string, unknown>>;
  if (secondsAgo === undefined) return { event };
  if (event['eventTime'] !== undefined) return { fault: 'has both eventTime and secondsAgo' };
  if (typeof secondsAgo !== 'number' || !Number.isFinite(secondsAgo)) return { fault: 'has a secondsAgo that is not a number' };
  if (rebaseTo === undefined) return { fault: 'has secondsAgo in place of eventTime: add --rebase' };
  return { event: { ...event, eventTime: Math.trunc(rebaseTo - secondsAgo) } };
}
