import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

export interface LoggerOptions {
  readonly level: string;
  /** The role that writes: `api`, `worker`. */
  readonly name: string;
  /** Where the lines go; stdout unless a test wants to read them. */
  readonly destination?: DestinationStream;
}

/**
 * Second net only: callers log facts by name and never a body, a header or a credential.
 * Each name is caught at the top of a line and one level down. Numbers pass: `events: 12` is a count.
 */
const NEVER_LOGGED = [
  'authorization', 'cookie', 'headers', 'body', 'payload', 'credentials', 'accessToken', 'refreshToken', 'clientSecret',
  'developerToken', 'secret', 'password', 'token', 'email', 'phone', 'phoneE164', 'firstName', 'lastName', 'externalId', 'ipAddress', 'userAgent',
  'user', 'events', 'wire', 'items',
];

/** JSON lines on stdout: event name as `msg`, facts as fields, times in ISO 8601. */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level,
      base: { name: options.name, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError, error: describeError },
      redact: { paths: NEVER_LOGGED.flatMap((name) => [name, `*.${name}`]), censor: (value) => (typeof value === 'number' ? value : '[redacted]') },
    },
    // Synchronous, so that the last line before an exit is never lost.
    options.destination ?? pino.destination({ fd: 1, sync: true }),
  );
}

const MAX_CAUSES = 3;

/**
 * An error by its known fields. Other own fields (a library's request or response object, zod's input) stay out,
 * and so does the text of a SyntaxError, which quotes the JSON that could not be read.
 */
export function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code } = error as { code?: unknown };
  const quotesInput = error instanceof SyntaxError;
  const message = quotesInput ? 'text that could not be parsed' : error.message;
  return {
    type: error.name,
    message,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: quotesInput ? framesOf(error.stack) : error.stack }),
    ...(error.cause === undefined || depth >= MAX_CAUSES ? {} : { cause: describeError(error.cause, depth + 1) }),
  };
}

function framesOf(stack: string): string {
  return stack.split('\n').filter((line) => /^\s+at /.test(line)).join('\n');
}
