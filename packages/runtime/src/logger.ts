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
const NEVER_LOGGED: ReadonlySet<string> = new Set([
  'authorization', 'cookie', 'headers', 'body', 'payload', 'credentials', 'accessToken', 'refreshToken', 'clientSecret',
  'developerToken', 'secret', 'password', 'token', 'email', 'phone', 'phoneE164', 'firstName', 'lastName', 'externalId', 'ipAddress', 'userAgent',
  'user', 'events', 'wire', 'items',
]);

/** JSON lines on stdout: event name as `msg`, facts as fields, times in ISO 8601. */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level,
      base: { name: options.name, pid: process.pid },
      timestamp: isoTime,
      // pino's own `redact` took 75 µs a line for these paths, a quarter of what the api does for a request.
      formatters: { level: (label) => ({ level: label }), log: redacted, bindings: redacted },
      serializers: { err: describeError, error: describeError },
    },
    options.destination ?? stdout(),
  );
}

/** Of lines that nobody reads; what comes beyond that is dropped, so that a reader that hangs does not fill the memory. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024;

/** So long lines wait for others. A write costs more than making its lines: it wakes a thread of libuv's, and the reader. */
const GATHER_MS = 50;

/**
 * Lines that come together leave in one write, and a reader that is slow keeps nobody waiting. After `fatal`, and when the
 * process ends by itself, what is left is written first; a SIGKILL may take the last lines.
 */
function stdout(): DestinationStream & { flushSync(): void } {
  const destination = pino.destination({ fd: 1, sync: false, maxLength: MAX_UNREAD_BYTES });
  const atOnce = pino.destination({ fd: 1, sync: true });
  let lines: string[] = [];
  // One flat text: of one that was put together bit by bit, V8 takes three times as long to count the bytes.
  const taken = (): string => {
    const text = lines.join('');
    lines = [];
    return text;
  };
  const hand = (): void => {
    if (lines.length > 0) destination.write(taken());
  };
  const flushSync = (): void => {
    destination.flushSync();
    // Not through `destination`: that would begin a write in a thread, which the end of the process cancels.
    if (lines.length > 0) atOnce.write(taken());
  };
  process.once('exit', () => {
    try {
      flushSync();
    } catch {
      // Nobody reads any more.
    }
  });
  return {
    write(line) {
      if (lines.length === 0) setTimeout(hand, GATHER_MS).unref();
      lines.push(line);
    },
    flushSync,
  };
}

let timeAt = 0;
let timeText = '';

/** As pino's own, which takes a fifth of a line's time; lines come in bursts, many in the same millisecond. */
function isoTime(): string {
  const now = Date.now();
  if (now !== timeAt) {
    timeAt = now;
    timeText = `,"time":"${new Date(now).toISOString()}"`;
  }
  return timeText;
}

const CENSORED = '[redacted]';

function redacted(line: object, depth = 0): Record<string, unknown> {
  let clean: Record<string, unknown> | undefined;
  for (const name of Object.keys(line)) {
    const value: unknown = line[name as keyof typeof line];
    if (typeof value === 'number') continue;
    const shown = NEVER_LOGGED.has(name) ? CENSORED : depth === 0 && isPlain(value) ? redacted(value, 1) : value;
    if (shown !== value) (clean ??= { ...line })[name] = shown;
  }
  return clean ?? (line as Record<string, unknown>);
}

/** Errors are described by their known fields, and lists hold ids. */
function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Error);
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
