import type { AcceptedRequest, PackedRequest } from './accept.ts';
import type { EnqueueOptions, EnqueueResult } from './ports.ts';

/** Stores a request's receipt and chunks in one atomic step; resolves once they are durable in Redis. */
export type Enqueue = (request: AcceptedRequest | PackedRequest, options: EnqueueOptions) => Promise<EnqueueResult>;
