const DOT = 46;
const ZERO = 48;
const NINE = 57;

/** Whether `text` is an IPv4 address in dotted decimal, without leading zeros. A loop: `node:net` is out of bounds here. */
export function isIpv4(text: string): boolean {
  if (text.length < 7 || text.length > 15) return false;
  let parts = 0;
  let digits = 0;
  let value = 0;
  for (let index = 0; index <= text.length; index += 1) {
    const char = index === text.length ? DOT : text.charCodeAt(index);
    if (char === DOT) {
      if (digits === 0) return false;
      parts += 1;
      digits = 0;
      value = 0;
      continue;
    }
    if (char < ZERO || char > NINE || (digits > 0 && value === 0)) return false;
    digits += 1;
    value = value * 10 + char - ZERO;
    if (value > 255) return false;
  }
  return parts === 4;
}

const HEX_GROUP = /^[0-9a-f]{1,4}$/i;

/** Whether `text` is an IPv6 address (RFC 4291 §2.2), without zone or brackets. */
export function isIpv6(text: string): boolean {
  if (text.length < 2 || text.length > 45) return false;
  const halves = text.split('::');
  if (halves.length > 2) return false;
  let groups = 0;
  for (const [place, half] of halves.entries()) {
    if (half === '') continue;
    const parts = half.split(':');
    for (const [index, part] of parts.entries()) {
      const isTail = place === halves.length - 1 && index === parts.length - 1;
      if (isTail && part.includes('.') && isIpv4(part)) groups += 2;
      else if (HEX_GROUP.test(part)) groups += 1;
      else return false;
    }
  }
  return halves.length === 2 ? groups < 8 : groups === 8;
}

const MAPPED = '::ffff:';

/**
 * The address as IPv4 or IPv6, or `undefined`. IPv4-mapped addresses (`::ffff:203.0.113.7`), which dual-stack servers
 * report for IPv4 visitors, come out as IPv4.
 */
export function normaliseIp(raw: string): string | undefined {
  const text = raw.trim();
  if (isIpv4(text)) return text;
  if (!isIpv6(text)) return undefined;
  const lower = text.toLowerCase();
  const tail = lower.startsWith(MAPPED) ? lower.slice(MAPPED.length) : '';
  return isIpv4(tail) ? tail : lower;
}
