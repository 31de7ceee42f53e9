import { hash, timingSafeEqual } from 'node:crypto';
import { RelayError } from '@relay/contract';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyInstance } from 'fastify';
import type { ApiDeps } from '../api-deps.ts';
import { sendError } from '../plugins/errors.ts';
import { describeJobData } from './job-data.ts';

export const BOARD_PATH = '/admin/queues';

const FOREIGN_FONT = /<link\b[^>]*https:\/\/fonts\.[^>]*>/g;

type Board = NonNullable<ApiDeps['bullBoard']>;
/** The adapter fits, but its declaration is not written for exactOptionalPropertyTypes. */
type BoardServer = Parameters<typeof createBullBoard>[0]['serverAdapter'];

/**
 * Bull Board behind HTTP Basic. Read-only: removing, retrying or promoting a job by hand would move events without the
 * ledger and the receipts knowing. Replay and discard are the API's.
 */
export async function installBoard(app: FastifyInstance, board: Board, now: () => number): Promise<void> {
  const serverAdapter = new FastifyAdapter();
  serverAdapter.setBasePath(BOARD_PATH);
  const queues = board.queues.map((queue) => {
    const adapter = new BullMQAdapter(queue, { readOnlyMode: true, allowRetries: false });
    adapter.setFormatter('data', (data: unknown) => describeJobData(data, now()));
    adapter.setFormatter('returnValue', () => null);
    return adapter;
  });
  createBullBoard({ queues, serverAdapter: serverAdapter as unknown as BoardServer, options: { uiConfig: { boardTitle: 'Conversion Relay', hideRedisDetails: false } } });
  await app.register(async (inner) => {
    inner.addHook('onRequest', (request, reply, done) => {
      if (!isLogin(board, request.headers.authorization)) {
        reply.header('www-authenticate', 'Basic realm="Conversion Relay queues", charset="UTF-8"');
        sendError(reply, new RelayError('unauthorized', 'Unauthorized'));
      } else if (request.method !== 'GET' && request.method !== 'HEAD') {
        reply.header('allow', 'GET, HEAD');
        sendError(reply, new RelayError('method_not_allowed', 'The queue dashboard is read-only; replay and discard dead letters through the API.'));
      } else done();
    });
    // The board's page names a web font of another host, which our policy blocks and offline machines cannot reach.
    inner.addHook('onSend', (_request, reply, payload, done) => {
      const isPage = typeof payload === 'string' && String(reply.getHeader('content-type')).startsWith('text/html');
      done(null, isPage ? payload.replaceAll(FOREIGN_FONT, '') : payload);
    });
    await inner.register(serverAdapter.registerPlugin(), { prefix: BOARD_PATH });
  });
}

/** Both parts are always compared, as hashes, so that neither length nor the first difference can be timed. */
function isLogin(board: Board, header: string | undefined): boolean {
  const encoded = /^Basic +([A-Za-z0-9+/=]{1,1024})$/i.exec(header ?? '')?.[1] ?? '';
  const given = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = given.indexOf(':');
  const isUser = isSame(colon < 0 ? '' : given.slice(0, colon), board.user);
  const isPassword = isSame(colon < 0 ? '' : given.slice(colon + 1), board.password);
  return isUser && isPassword;
}

function isSame(given: string, wanted: string): boolean {
  return timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', wanted, 'buffer'));
}
