import { connect } from 'node:net';

/**
 * True when something that speaks Redis answers a PING there. A refusal for want of a password still proves a Redis;
 * "-LOADING" does not: it is not ready yet. Never throws.
 */
export async function answersPing(host: string, port: number, timeoutMs = 1_000): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host, port });
  socket.setTimeout(timeoutMs, () => resolve(false));
  socket.once('error', () => resolve(false));
  socket.once('close', () => resolve(false));
  socket.once('connect', () => socket.write('PING\r\n'));
  socket.once('data', (data) => {
    const reply = data.toString('latin1');
    resolve(reply.startsWith('+PONG') || reply.startsWith('-NOAUTH') || reply.startsWith('-NOPERM'));
  });
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}
