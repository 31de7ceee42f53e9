import { z } from 'zod';
import { named } from './registry.ts';

export const errorSchema = named(
  'Error',
  z.strictObject({
    error: z.string().meta({ description: 'What is wrong and how to mend it, for a person' }),
    type: z.enum(['invalid_request_error', 'authentication_error', 'permission_error', 'not_found', 'rate_limit_error', 'platform_error', 'api_error']),
    code: z.string().meta({ description: 'Stable, for programs' }),
    param: z.string().optional().meta({ description: 'Path of the field at fault, such as events[3].eventTime' }),
    platform: z.string().optional(),
    platformError: z.unknown().optional().meta({ description: "The platform's payload, verbatim" }),
    details: z.unknown().optional().meta({ description: 'Of an invalid_request: [{path, message}], every bad path up to 100' }),
  }),
);

const TEXTS = {
  400: 'Malformed in shape; every bad path is named',
  401: 'No API key, or an unknown one',
  403: 'The key may not do this, or not with this account',
  404: 'Not there, or not for this key',
  405: 'Not on this platform',
  409: 'In the way of something that exists',
  413: 'The body is too large',
  415: 'Not JSON',
  422: 'Understood, but it cannot be done',
  429: 'Too many calls, here or at the platform. See Retry-After',
  502: 'The platform failed',
  501: 'Switched off, or not on this platform',
  503: 'The storage is away; nothing was stored. See Retry-After',
  504: 'The platform did not answer in time',
} as const;

type ErrorStatus = keyof typeof TEXTS;

/** The documented error answers of a route of the API. Those that any of them can give are added by themselves. */
export function errorAnswers(...statuses: ErrorStatus[]) {
  return errorAnswersOnly(...statuses, 400, 401, 403, 503);
}

/** Those of a route that takes no API key. */
export function errorAnswersOnly(...statuses: ErrorStatus[]) {
  const all = [...new Set(statuses)].sort((a, b) => a - b);
  return Object.fromEntries(all.map((status) => [status, { description: TEXTS[status], content: { 'application/json': { schema: errorSchema } } }]));
}

/** A documented answer. */
export function answerOf<T extends z.ZodType>(schema: T, description = 'Done') {
  return { description, content: { 'application/json': { schema } } };
}

/** A documented answer that is no JSON. */
export function textAnswer(description: string) {
  return { description, content: { 'text/plain': { schema: z.string() } } };
}

/** 204: nothing to say. */
export const noContent = z.null().meta({ description: 'Done' });
