import { createServer } from 'node:http';

/**
 * A platform that takes everything: counts events by their id, and answers like Meta, Google or LinkedIn, whichever was asked.
 * Started by the benchmark as a process of its own. `GET /count` tells requests, events and bytes so far; `POST /reset?ms=N`
 * starts over and answers after N ms from then on; `POST /latency?ms=N` changes that alone.
 */
let requests = 0;
let events = 0;
let bytes = 0;
let latencyMs = 0;

function count(body: Buffer, id: string): number {
  let found = 0;
  for (let at = body.indexOf(id); at !== -1; at = body.indexOf(id, at + id.length)) found += 1;
  return found;
}

/** How a platform names an event's id (a token endpoint gets none), and what it answers when it has taken so many. */
interface Manner {
  readonly id?: string;
  answer(received: number): string;
}
const META: Manner = { id: '"event_id"', answer: (received) => `{"events_received":${received},"messages":[],"fbtrace_id":"A${requests}"}` };
const MANNERS: Readonly<Record<string, Manner>> = {
  floor: { ...META, id: '"eventId"' },
  google: { id: '"transactionId"', answer: () => `{"requestId":"r-${requests}"}` },
  token: { answer: () => '{"access_token":"bench-access-token","expires_in":3599,"token_type":"Bearer"}' },
  linkedin: { id: '"eventId"', answer: (received) => `{"elements":[${Array(received).fill('{"status":201}').join()}]}` },
};

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://sink');
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    if (url.pathname === '/count') {
      response.end(JSON.stringify({ requests, events, bytes }));
      return;
    }
    if (url.pathname === '/reset' || url.pathname === '/latency') {
      if (url.pathname === '/reset') requests = events = bytes = 0;
      latencyMs = Number(url.searchParams.get('ms') ?? 0);
      response.end();
      return;
    }
    const body = Buffer.concat(parts);
    const { id, answer: answerTo } = MANNERS[url.pathname.split('/')[1] ?? ''] ?? META;
    const received = id === undefined ? 0 : count(body, id);
    const answer = () => {
      requests += 1;
      events += received;
      bytes += body.length;
      response.setHeader('content-type', 'application/json');
      response.end(answerTo(received));
    };
    if (latencyMs > 0) setTimeout(answer, latencyMs);
    else answer();
  });
});
server.listen(Number(process.env['SINK_PORT']), '127.0.0.1', () => console.log('sink.listening'));
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
