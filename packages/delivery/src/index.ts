export * from './ports.ts';
export { acceptEvents, duplicateEventIds, type AcceptInput, type AcceptedEvent, type AcceptedRequest } from './accept.ts';
export type { Enqueue } from './enqueue-port.ts';
