/** The command line was wrong, or what it names cannot be read: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** No usable answer came from the relay: exit code 2. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

/** The relay answered and refused: exit code 1. `message` is its own sentence. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** The answer's body; text where it was no JSON. */
  readonly body: unknown;
  /** From `Retry-After`. */
  readonly retryAfterMs: number | undefined;
  constructor(message: string, answer: { readonly status: number; readonly body: unknown; readonly retryAfterMs: number | undefined }) {
    super(message);
    this.status = answer.status;
    this.body = answer.body;
    this.retryAfterMs = answer.retryAfterMs;
  }
}

export const EXIT_OK = 0;
/** The relay refused, or events failed. */
export const EXIT_REFUSED = 1;
/** Wrong usage, or the relay cannot be reached. */
export const EXIT_USAGE = 2;

export function exitCodeOf(error: unknown): number {
  return error instanceof ApiError ? EXIT_REFUSED : EXIT_USAGE;
}
