import type { Socket } from 'node:net';
import { Cluster, type Redis } from 'ioredis';

/**
 * From now on commands that are given in one go (a request ends, and its fifty jobs are brought to an end) leave in one
 * write: ioredis writes each by itself, and a write to a socket costs more than the command in it. Order and answers stay
 * as they are, and a single command leaves as soon as the code that gave it has run.
 */
export function writeTogether<T extends Redis | Cluster>(connection: T): T {
  if (connection instanceof Cluster) {
    connection.on('+node', (node: Redis) => writeTogether(node));
    return connection;
  }
  const sendCommand = connection.sendCommand.bind(connection);
  connection.sendCommand = (command, stream) => {
    const socket = (connection as unknown as { stream?: Socket }).stream;
    if (socket?.writableCorked === 0) {
      socket.cork();
      process.nextTick(() => socket.uncork());
    }
    return sendCommand(command, stream);
  };
  return connection;
}
