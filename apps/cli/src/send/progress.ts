import { Presets, SingleBar } from 'cli-progress';

export interface Progress {
  update(done: { readonly events: number; readonly bytes: number }): void;
  stop(): void;
}

export interface ProgressOptions {
  /** A terminal gets a bar, anything else a line now and then; `quiet` gets nothing. */
  readonly look: 'bar' | 'lines' | 'quiet';
  /** Undefined: the size is not known. */
  readonly totalBytes: number | undefined;
  readonly write: (text: string) => void;
  readonly now?: () => number;
}

const LINE_EVERY_MS = 2_000;

export function createProgress(options: ProgressOptions): Progress {
  if (options.look === 'bar' && options.totalBytes !== undefined) return aBar(options.totalBytes);
  if (options.look === 'quiet') return { update: () => undefined, stop: () => undefined };
  return someLines(options);
}

function aBar(totalBytes: number): Progress {
  const bar = new SingleBar(
    { format: 'sending {bar} {percentage} %  {events} events', stream: process.stderr, hideCursor: true, clearOnComplete: true, etaBuffer: 50 },
    Presets.legacy,
  );
  bar.start(totalBytes, 0, { events: 0 });
  return {
    // Reading runs ahead of sending; the bar shows the reading, the number what has been answered.
    update: ({ events, bytes }) => bar.update(Math.min(bytes, totalBytes), { events }),
    stop: () => bar.stop(),
  };
}

function someLines({ totalBytes, write, now = () => performance.now() }: ProgressOptions): Progress {
  let nextAt = now() + LINE_EVERY_MS;
  return {
    update({ events, bytes }) {
      if (now() < nextAt) return;
      nextAt = now() + LINE_EVERY_MS;
      const share = totalBytes === undefined || totalBytes === 0 ? '' : ` (${Math.floor((100 * Math.min(bytes, totalBytes)) / totalBytes)} % of the file read)`;
      write(`${events} events answered${share}\n`);
    },
    stop: () => undefined,
  };
}
