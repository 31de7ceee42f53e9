import { createServer } from 'node:net';
import { createLogger } from './logger.ts';
import { runProcess } from './run-process.ts';

/** A process for `run-process.test.ts`: what it does is its first argument. */
const mode = process.argv[2];
const logger = createLogger({ level: 'info', name: 'fixture' });

await runProcess(
  async (stack, draining) => {
    const server = createServer();
    server.listen(0);
    stack.defer(() => {
      logger.info('closed.first_opened');
      server.close();
    });
    stack.defer(() => logger.info('closed.last_opened'));
    draining.addEventListener('abort', () => logger.info('draining'));
    if (mode === 'boot-fails') throw new Error('no Redis');
    if (mode === 'hangs' || mode === 'hangs-long') stack.defer(() => new Promise((resolve) => setTimeout(resolve, 60_000)));
    if (mode === 'takes-a-while') stack.defer(() => new Promise((resolve) => setTimeout(resolve, 700)));
    if (mode === 'throws-later') setTimeout(() => { throw new Error('nobody caught this'); }, 5);
    if (mode === 'rejects-later') setTimeout(() => void Promise.reject(new Error('nor this')), 5);
  },
  { logger, shutdownGraceMs: mode === 'hangs-long' || mode === 'takes-a-while' ? 15_000 : 150 },
);
