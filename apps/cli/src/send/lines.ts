import { UsageError } from '../faults.ts';

const NEWLINE = 0x0a;
/** Far above any event; keeps a file that is one endless line from filling the memory. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/**
 * Lines of a byte stream, without their ends. Not node:readline, which also breaks at U+2028 and U+2029: JSON may hold
 * both unescaped.
 */
export async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      yield Buffer.concat([...rest, chunk.subarray(from, end)]);
      rest = [];
      restBytes = 0;
      from = end + 1;
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
    restBytes += chunk.length - from;
    if (restBytes > MAX_LINE_BYTES) {
      throw new UsageError(`a line is longer than ${MAX_LINE_BYTES} bytes: is this newline-delimited JSON?`);
    }
  }
  if (rest.length > 0) yield Buffer.concat(rest);
}
