// For `node --import`: says every address that the process opens a connection to, one line each.
import { Socket } from 'node:net';

const { connect } = Socket.prototype;
Socket.prototype.connect = function noted(...given) {
  const [first] = Array.isArray(given[0]) ? given[0] : given;
  const { host = 'localhost', port, path } = typeof first === 'object' && first !== null ? first : { port: first };
  process.stderr.write(`outbound ${path ?? `${host}:${port}`}\n`);
  return Reflect.apply(connect, this, given);
};
