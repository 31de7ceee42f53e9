import type { Verdict } from '@relay/contract';

/** Members of a wire event that say who the person is, on any of the platforms. */
const PERSONAL = ['user', 'user_data', 'userData', 'userIdentifiers', 'adIdentifiers', 'eventDeviceInfo', 'event_source_url', 'orderId', 'gclidDateTimePair', 'userAgent'];
/** Shorter values (a country, a number) are no person and stand in any sentence. */
const MIN_LENGTH = 4;
const MASK = '***';
const DECODER = new TextDecoder();

/**
 * Takes out of a platform's words what it quotes of the events it was sent: those words end up in receipts, dead letters,
 * logs and answers, which never hold anything of a person. Only looked for where there are words.
 */
export function unquote(verdict: Verdict, wires: readonly Uint8Array[]): Verdict {
  const words = verdict.kind === 'accepted' ? [...verdict.warnings, ...verdict.faults.map((fault) => fault.message)] : [verdict.message];
  if (verdict.kind === 'rejected_events') words.push(...verdict.faults.map((fault) => fault.message));
  if (words.length === 0) return verdict;
  const quoted = quotedValues(wires.map((wire) => DECODER.decode(wire)), words.join('\n'));
  if (quoted.length === 0) return verdict;
  const clean = (text: string) => quoted.reduce((left, value) => left.replaceAll(value, MASK), text);
  const cleanFaults = <T extends { readonly message: string }>(faults: readonly T[]): T[] => faults.map((fault) => ({ ...fault, message: clean(fault.message) }));
  if (verdict.kind === 'accepted') return { ...verdict, warnings: verdict.warnings.map(clean), faults: cleanFaults(verdict.faults) };
  if (verdict.kind === 'rejected_events') return { ...verdict, message: clean(verdict.message), faults: cleanFaults(verdict.faults) };
  return { ...verdict, message: clean(verdict.message) };
}

/** Values of the events that stand in the text, longest first, so that one within another does not hide it. */
function quotedValues(wires: readonly string[], text: string): string[] {
  const found = new Set<string>();
  // Most words are the platform's own: only an event that shares one with them is worth parsing.
  const pieces = text.split(/[^\p{L}\p{N}]+/u).filter((piece) => piece.length >= MIN_LENGTH);
  for (const wire of wires) {
    if (!pieces.some((piece) => wire.includes(piece))) continue;
    const event = parse(wire);
    for (const name of PERSONAL) collect(event[name], text, found);
  }
  return [...found].sort((a, b) => b.length - a.length);
}

function collect(value: unknown, text: string, found: Set<string>): void {
  if (typeof value === 'string' || typeof value === 'number') {
    const shown = String(value);
    if (shown.length >= MIN_LENGTH && text.includes(shown)) found.add(shown);
  } else if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) collect(inner, text, found);
  }
}

function parse(wire: string): Record<string, unknown> {
  try {
    const event: unknown = JSON.parse(wire);
    return typeof event === 'object' && event !== null ? (event as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
