import { quoted } from '@relay/contract';

const MAX_KEY_LENGTH = 64;

/** `events[3].eventTime`; a key that is no identifier is quoted, a long one is cut. */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (/^[A-Za-z_$][\w$]{0,63}$/.test(String(part))) text += text === '' ? String(part) : `.${String(part)}`;
    else text += `[${quoted(String(part), MAX_KEY_LENGTH)}]`;
  }
  return text;
}
