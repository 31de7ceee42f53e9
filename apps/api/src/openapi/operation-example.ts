/** One call of an operation that works, and what it answers. Tests send it and hold both to their schemas. */
export interface OperationExample {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly header?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** By status; 204 says nothing. */
  readonly answers: Readonly<Record<number, unknown>>;
}

/** By `METHOD /path` as the document has it. */
export type Examples = Readonly<Record<string, OperationExample>>;
