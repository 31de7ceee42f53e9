import type { BullMQAdapter } from '@bull-board/api/bullMQAdapter';

/** A BullMQ queue, named by what the board takes, so that only the storage package imports bullmq itself. */
export type BoardQueue = ConstructorParameters<typeof BullMQAdapter>[0];
