import type { MessagePort } from 'node:worker_threads';
import type { AdsPlatformId, ErrorCode, ErrorExtras } from '@relay/contract';
import type { PackedRequest } from '@relay/delivery';

/** What goes to and from a thread about one body: plain data, which is copied or handed over. */

export interface ThreadSettings {
  readonly secretKeys: readonly Uint8Array[];
  readonly isIndexed: boolean;
}

export interface Task {
  readonly raw: Uint8Array;
  /** The thread posts a `Head`, and hears its `Target`, or `undefined` where the request is refused. */
  readonly port: MessagePort;
}

/** What the main thread has to know to say where the events go. */
export interface Head {
  readonly accountId: string;
  readonly destinationId: string;
}

export interface Target {
  readonly platform: AdsPlatformId;
  readonly accountId: string;
  /** Canonical. */
  readonly destinationId: string;
  readonly deliveryId: string;
  readonly nowMs: number;
}

export type Outcome =
  | { readonly kind: 'packed'; readonly request: PackedRequest; readonly duplicates: readonly string[] }
  | { readonly kind: 'fault'; readonly code: ErrorCode; readonly message: string; readonly extras: ErrorExtras }
  | { readonly kind: 'refused' };
