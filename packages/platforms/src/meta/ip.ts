/** The address without surrounding space if it is IPv4 or IPv6, else `undefined`: Meta takes only valid ones ("no spaces"). */
export function normaliseIp(value: string): string | undefined {
  const ip = value.trim();
  return isIpv4(ip, 0) || isIpv6(ip) ? ip : undefined;
}

function isIpv4(text: string, start: number): boolean {
  let parts = 0;
  let number = -1;
  for (let index = start; index <= text.length; index += 1) {
    const code = index === text.length ? 0x2e : text.charCodeAt(index);
    if (code === 0x2e) {
      if (number < 0 || number > 255) return false;
      parts += 1;
      number = -1;
    } else if (code >= 0x30 && code <= 0x39 && number < 256) {
      number = Math.max(number, 0) * 10 + code - 0x30;
    } else return false;
  }
  return parts === 4;
}

/** Eight groups of 1..4 hex digits, `::` once for one or more of zeros, and an IPv4 address in place of the last two. */
function isIpv6(text: string): boolean {
  if (text.length < 2 || text.length > 45 || !/^[0-9a-f:.]+$/i.test(text)) return false;
  const gap = text.indexOf('::');
  if (gap !== -1 && text.includes('::', gap + 1)) return false;
  const head = groupsIn(gap === -1 ? text : text.slice(0, gap), gap === -1);
  const tail = gap === -1 ? 0 : groupsIn(text.slice(gap + 2), true);
  const groups = head + tail;
  return gap === -1 ? groups === 8 : groups <= 7;
}

/** How many 16-bit groups `text` holds; infinite if it is malformed. */
function groupsIn(text: string, mayEndInIpv4: boolean): number {
  if (text === '') return 0;
  const groups = text.split(':');
  const last = groups.length - 1;
  let count = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== '' && group.length <= 4 && !group.includes('.')) count += 1;
    else if (index === last && mayEndInIpv4 && isIpv4(group, 0)) count += 2;
    else return Infinity;
  }
  return count;
}
