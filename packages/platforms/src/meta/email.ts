/**
 * Trimmed, lower case and shaped like an address (ASCII, a dot in the domain), else `undefined`. Gmail's dots and plus
 * tags stay: taking them out is Google's rule, not Meta's.
 * By hand, as the regular expressions of Meta's SDKs take exponential time on hostile input.
 */
export function normaliseEmail(value: string): string | undefined {
  const email = value.trim().toLowerCase();
  const at = email.indexOf('@');
  return at > 0 && isLocalPart(email, at) && isDomain(email, at + 1) ? email : undefined;
}

function isLocalPart(email: string, end: number): boolean {
  let wasDot = true;
  for (let index = 0; index < end; index += 1) {
    const isDot = email.charCodeAt(index) === 0x2e;
    if (isDot ? wasDot : !isAtomChar(email.charCodeAt(index))) return false;
    wasDot = isDot;
  }
  return !wasDot;
}

/** Labels of letters, digits and inner hyphens; at least two. */
function isDomain(email: string, start: number): boolean {
  let labels = 1;
  let previous = 0x2e;
  for (let index = start; index < email.length; index += 1) {
    const code = email.charCodeAt(index);
    if (code === 0x2e) {
      if (previous === 0x2e || previous === 0x2d) return false;
      labels += 1;
    } else if (code === 0x2d) {
      if (previous === 0x2e) return false;
    } else if (!isLetterOrDigit(code)) return false;
    previous = code;
  }
  return labels >= 2 && previous !== 0x2e && previous !== 0x2d;
}

function isLetterOrDigit(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39);
}

/** `atext` of RFC 5322, lower case. */
const ATOM_CHARS: ReadonlySet<number> = new Set(Array.from("!#$%&'*+-/=?^_`{|}~", (char) => char.charCodeAt(0)));

function isAtomChar(code: number): boolean {
  return isLetterOrDigit(code) || ATOM_CHARS.has(code);
}
