const COMMA = 0x2c;

/** A JSON body around wire events: `before`, the items with commas between them, `after`; as UTF-8. */
export function joinItems(before: string, items: readonly Uint8Array[], after: string): Uint8Array {
  const [head, tail] = [Buffer.from(before), Buffer.from(after)];
  let size = head.length + Math.max(items.length - 1, 0) + tail.length;
  for (const item of items) {
    // Its memory was given back, or it never was one: better to fail than to send what the platform would refuse.
    if (item.length === 0) throw new Error('an event to be sent has no bytes');
    size += item.length;
  }
  const body = Buffer.allocUnsafe(size);
  body.set(head, 0);
  let at = head.length;
  for (const [i, item] of items.entries()) {
    if (i > 0) {
      body[at] = COMMA;
      at += 1;
    }
    body.set(item, at);
    at += item.length;
  }
  body.set(tail, at);
  return body;
}
