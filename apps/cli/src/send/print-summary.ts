import { formatFacts, oneLine } from '../output.ts';
import type { SendSummary } from './tally.ts';

/** The end of `relay send` for people. */
export function formatSummary(summary: SendSummary): string {
  const facts = formatFacts([
    ['sent', `${summary.submitted} events in ${summary.batches} requests`],
    ['delivered', summary.received],
    ['failed', summary.failed],
    ['pending', summary.pending === 0 ? undefined : `${summary.pending} (accepted, no final answer yet; ask with: relay delivery <id> --follow)`],
    ['refused', summary.refused === 0 ? undefined : `${summary.refused} in requests that were refused whole`],
    ['bad lines', summary.badLines === 0 ? undefined : `${summary.badLines} (not sent)`],
  ]);
  return [facts, ...parts(summary)].filter((part) => part !== '').join('\n');
}

function parts(summary: SendSummary): string[] {
  const codes = Object.entries(summary.failuresByCode).toSorted((a, b) => b[1] - a[1]);
  return [
    section('why', codes.map(([code, events]) => `${events}  ${code}`)),
    section(
      moreThan('first failures', summary.failures.length, summary.failed),
      summary.failures.map(({ place, eventId, code, message }) => `line ${place}  ${oneLine(eventId)}  ${code}: ${oneLine(message)}`),
    ),
    section('refused requests', summary.refusals.map(({ place, events, status, message }) => `line ${place} (${events} events)  HTTP ${status}: ${oneLine(message)}`)),
    section(moreThan('bad lines', summary.lineFaults.length, summary.badLines), summary.lineFaults.map(({ place, fault }) => `line ${place} ${fault}`)),
    section('deliveries', summary.pending === 0 ? [] : summary.deliveries.filter(isOpen).slice(0, 10).map(({ deliveryId, status }) => `${deliveryId}  ${status}`)),
  ];
}

function isOpen({ status }: SendSummary['deliveries'][number]): boolean {
  return status === 'queued' || status === 'retrying' || status === 'held';
}

function moreThan(title: string, shown: number, all: number): string {
  return all > shown ? `${title} (${shown} of ${all})` : title;
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${title}:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}
