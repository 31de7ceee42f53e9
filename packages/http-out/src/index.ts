export { DEFAULT_SEND_OPTIONS, LISTING_SEND_OPTIONS, createSend, type SendOptions } from './send.ts';
