export const NEWLINE = 0x0a;
/** UTF-8 takes at most three bytes for a unit of a JavaScript string. */
const MAX_BYTES_PER_UNIT = 3;
/** Kept for the next payload up to this size: a fresh megabyte costs more (its pages have to be mapped) than what is written into it. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024;
let kept = Buffer.alloc(0);

/** Lines of text or of UTF-8 as UTF-8 in one piece, without a line's end at the end. Good until the next call; who is done with what is private in it clears it. */
export function joinLines(lines: readonly (string | Uint8Array)[]): Buffer {
  let most = lines.length;
  for (const line of lines) most += typeof line === 'string' ? line.length * MAX_BYTES_PER_UNIT : line.length;
  let out = kept;
  if (out.length < most) {
    out = Buffer.allocUnsafeSlow(most);
    if (most <= MAX_KEPT_BYTES) kept = out;
  }
  let at = 0;
  for (const line of lines) {
    if (typeof line === 'string') {
      at += out.write(line, at);
    } else {
      out.set(line, at);
      at += line.length;
    }
    out[at] = NEWLINE;
    at += 1;
  }
  return out.subarray(0, at - 1);
}
