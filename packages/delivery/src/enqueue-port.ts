import type { StorableRequest } from './accept.ts';
import type { EnqueueOptions, EnqueueResult } from './ports.ts';

/** Stores a request's receipt and chunks in one atomic step; resolves once they are durable in Redis. */
export type Enqueue = (request: StorableRequest, options: EnqueueOptions) => Promise<EnqueueResult>;
