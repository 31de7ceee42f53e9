import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request to a platform, as the tap between workers and sandbox saw it. Times are unix ms. */
export interface Passage {
  /** The process that sent it, by its name. */
  readonly by: string;
  readonly path: string;
  readonly eventIds: readonly string[];
  readonly startedAt: number;
  /** When the platform's answer had come in full; `undefined`: not yet, or never. */
  answeredAt: number | undefined;
  /** When it was over: answered in full, or given up or broken off by its sender; `undefined`: under way. */
  endedAt: number | undefined;
  status: number | undefined;
}

export interface Tap extends AsyncDisposable {
  /** The platforms' base address for a process of that name. */
  urlFor(name: string): string;
  readonly passages: readonly Passage[];
  /** Once: called when the platform has answered a request that fits and before its sender hears of it, who hears nothing then. */
  loseAnswer(fits: (passage: Passage) => boolean, whenAnswered: () => void): void;
  /** Breaks the connection in the middle of the answer to each request with this event, so many times. */
  breakAnswer(eventId: string, times: number): void;
}

/** Ids of the events in a request's body, whichever platform it is for. */
function eventIdsOf(body: string): string[] {
  try {
    const { data, events, elements } = JSON.parse(body) as Record<string, Record<string, unknown>[] | undefined>;
    const ids = [...(data ?? []).map((one) => one['event_id']), ...(events ?? []).map((one) => one['transactionId']), ...(elements ?? []).map((one) => one['eventId'])];
    return ids.filter((id) => typeof id === 'string');
  } catch {
    return []; // A token request is no JSON.
  }
}

/** Passes everything on to the sandbox, and knows of every event when it went and when it was answered. */
export async function openTap(target: string): Promise<Tap> {
  const passages: Passage[] = [];
  const { hostname, port } = new URL(target);
  let losing: { fits: (passage: Passage) => boolean; whenAnswered: () => void } | undefined;
  const breaking = new Map<string, number>();
  const server = createServer((incoming, outgoing) => {
    const parts: Buffer[] = [];
    incoming.on('error', () => undefined);
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const body = Buffer.concat(parts);
      const { method = '', url = '', headers } = incoming;
      const [, by = '', path = ''] = /^\/([^/]*)(.*)$/.exec(url) ?? [];
      const passage: Passage = { by, path, eventIds: eventIdsOf(body.toString()), startedAt: Date.now(), answeredAt: undefined, endedAt: undefined, status: undefined };
      passages.push(passage);
      const onward = request({ hostname, port, method, path, headers }, (answer) => {
        passage.status = answer.statusCode;
        if (losing?.fits(passage) === true) {
          const { whenAnswered } = losing;
          losing = undefined;
          answer.resume().on('end', () => {
            passage.answeredAt = passage.endedAt = Date.now();
            whenAnswered();
            outgoing.destroy();
          });
          return;
        }
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        const doomed = passage.eventIds.find((id) => (breaking.get(id) ?? 0) > 0);
        if (doomed !== undefined) {
          breaking.set(doomed, breaking.get(doomed)! - 1);
          answer.once('data', (part: Buffer) => {
            answer.resume();
            outgoing.write(part.subarray(0, Math.floor(part.length / 2)), () => outgoing.destroy());
          });
          return;
        }
        answer.pipe(outgoing);
        answer.on('end', () => {
          passage.answeredAt = passage.endedAt = Date.now();
        });
        answer.on('error', () => outgoing.destroy());
      });
      onward.on('error', () => outgoing.destroy());
      outgoing.on('close', () => {
        passage.endedAt ??= Date.now();
        onward.destroy();
      });
      onward.end(body);
    });
  });
  // Never: the sandbox promises to keep connections for longer than Node does by itself, and one that is closed just as a worker
  // sends something would be a fault that no scenario meant.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port: ownPort } = server.address() as AddressInfo;
  return {
    urlFor: (name) => `http://127.0.0.1:${ownPort}/${name}`,
    passages,
    loseAnswer(fits, whenAnswered) {
      losing = { fits, whenAnswered };
    },
    breakAnswer(eventId, times) {
      breaking.set(eventId, times);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
