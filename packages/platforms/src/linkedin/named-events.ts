import type { ItemFault } from '@relay/contract';
import { maskedText } from '../identity/mask.ts';

/** "Index: 0, ERROR :: /path :: text\nERROR :: …\nIndex: 3, …", of 422. */
const INDEX_BLOCK = /Index: ?(\d+) ?,/g;
/** "… indices [0, 3] (0-indexed)", of 400. */
const INDEX_LIST = /indices ?\[([\d, ]+)\]/g;

export interface NamedEvents {
  /** One per event, in order; only events that were sent. */
  readonly faults: readonly ItemFault[];
  /** Paths that the blocks complain about, e.g. `/conversionValue/amount`. */
  readonly paths: readonly string[];
}

/** The events that LinkedIn names in its words, which it does in two ways. */
export function namedEvents(message: string, code: string, total: number): NamedEvents {
  const faults = new Map<number, string>();
  const paths: string[] = [];
  const blocks = [...message.matchAll(INDEX_BLOCK)];
  for (const [place, block] of blocks.entries()) {
    const text = message.slice(block.index + block[0].length, blocks[place + 1]?.index ?? message.length);
    for (const line of text.split('ERROR :: ')) {
      if (line.startsWith('/')) paths.push(line.slice(0, line.indexOf(' ')));
    }
    addFault(faults, Number(block[1]), plainWords(text), total);
  }
  for (const list of message.matchAll(INDEX_LIST)) {
    for (const digits of list[1]!.split(',')) {
      if (digits.trim() !== '') addFault(faults, Number(digits), plainWords(message), total);
    }
  }
  return {
    faults: [...faults].sort(([one], [other]) => one - other).map(([index, words]) => ({ index, code, message: words, retryable: false })),
    paths,
  };
}

function addFault(faults: Map<number, string>, index: number, words: string, total: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= total) return;
  const known = faults.get(index);
  if (known === undefined) faults.set(index, words);
  else if (!known.includes(words)) faults.set(index, maskedText(`${known}; ${words}`));
}

/** "/conversionValue/amount: field is required …; …" */
function plainWords(text: string): string {
  const lines = text
    .split('\n')
    .map((line) => line.trim().replace(/^ERROR :: /, '').replace(' :: ', ': '))
    .filter((line) => line !== '');
  return maskedText(lines.join('; ')) || 'refused without words';
}
