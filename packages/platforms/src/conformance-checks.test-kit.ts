import { REFUSAL_CODES, type InboundReply, type ItemResult, type SentBatch, type Verdict } from '@relay/contract';

/** What is wrong with a verdict, whatever the platform; empty if nothing is. */
export function verdictFlaws(verdict: Verdict, reply: InboundReply, sent: SentBatch): readonly string[] {
  const total = sent.groupSizes.reduce((sum, size) => sum + size, 0);
  const flaws = verdict.kind === 'accepted' ? acceptedFlaws(reply) : saidFlaws(verdict);
  flaws.push(...rangeFlaws(verdict, total, sent.groupSizes.length), ...waitFlaws(verdict));
  return flaws.map((flaw) => `${flaw}; ${verdict.kind} for ${reply.status} ${JSON.stringify(reply.headers)} ${reply.body.slice(0, 120)}`);
}

function acceptedFlaws(reply: InboundReply): string[] {
  return reply.status >= 200 && reply.status < 300 ? [] : ['accepted although the status is not 2xx'];
}

function saidFlaws({ code, message }: Exclude<Verdict, { kind: 'accepted' }>): string[] {
  const flaws: string[] = [];
  if (!/^\S.{0,199}$/.test(code)) flaws.push(`code ${JSON.stringify(code)} is empty or too long`);
  if (!/\S/.test(message) || message.length > 500) flaws.push('message is empty or too long');
  return flaws;
}

function rangeFlaws(verdict: Verdict, total: number, groups: number): string[] {
  switch (verdict.kind) {
    case 'accepted':
      return indexFlaws(verdict.faults.map((fault) => fault.index), total);
    case 'rejected_events':
      return [...indexFlaws(verdict.indices, total), ...indexFlaws(verdict.faults.map((fault) => fault.index), total)];
    case 'rejected_request':
      return indexFlaws(verdict.groups, groups);
    case 'retry':
    case 'rate_limited':
    case 'unauthorised':
    case 'too_large':
      return [];
  }
}

function indexFlaws(indices: readonly number[], below: number): string[] {
  const isInRange = indices.every((index) => Number.isInteger(index) && index >= 0 && index < below);
  if (!isInRange) return [`an index of ${JSON.stringify(indices.slice(0, 5))} is outside 0..${below - 1}`];
  return new Set(indices).size === indices.length ? [] : ['an index comes twice'];
}

function waitFlaws(verdict: Verdict): string[] {
  const waitMs = verdict.kind === 'retry' ? verdict.afterMs : verdict.kind === 'rate_limited' ? verdict.cooldownMs : undefined;
  // A cool-down of nothing spends no attempt either: the request would go out again and again.
  const isLongEnough = waitMs === undefined || (Number.isFinite(waitMs) && (verdict.kind === 'rate_limited' ? waitMs > 0 : waitMs >= 0));
  const pauses = verdict.kind === 'accepted' ? verdict.faults.flatMap(({ cooldownMs }) => cooldownMs ?? []) : [];
  return isLongEnough && pauses.every((ms) => Number.isFinite(ms) && ms > 0) ? [] : [`waits ${[waitMs, ...pauses].join(', ')} ms`];
}

/** What is wrong with what became of one event, given a text that must not come out in the clear. */
export function itemFlaws(result: ItemResult, secret: string): readonly string[] {
  const flaws: string[] = [];
  const said = result.kind === 'item' ? result.wire : result.message;
  if (said.toLowerCase().includes(secret)) flaws.push(`${said} holds the e-mail in the clear`);
  if (result.kind === 'item') {
    if (/[\r\n]/.test(said)) flaws.push('the wire is more than one line');
    const parsed: unknown = JSON.parse(said);
    if (typeof parsed !== 'object' || parsed === null) flaws.push('the wire is no JSON object');
    if (!Number.isFinite(result.expiresAtMs)) flaws.push(`expires at ${result.expiresAtMs}`);
    return flaws;
  }
  if (!REFUSAL_CODES.includes(result.code)) flaws.push(`${result.code} is no refusal code`);
  if (!/^\S.*\S$/.test(said)) flaws.push('a refusal needs a sentence');
  return flaws;
}

/** All strings in a JSON value, at any depth. */
export function stringsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}

export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}
