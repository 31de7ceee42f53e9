/** From here on a body's events cost more than a way to another thread and back: about 70 events, a millisecond and a half. */
export const LARGE_BODY_BYTES = 64 * 1024;

/** A request body that was not parsed: another thread does it. Takes the place of `request.body` on routes that say so. */
export class LargeBody {
  readonly raw: Buffer;
  constructor(raw: Buffer) {
    this.raw = raw;
  }
}
