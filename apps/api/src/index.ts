export { buildApi } from './build-api.ts';
export type { ApiDeps, ApiSettings } from './api-deps.ts';
export type { BoardQueue } from './board/board-queue.ts';
