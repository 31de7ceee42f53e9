import type { RequestFacts, SandboxPlatform } from './types.ts';

export interface FaultMatch {
  /** Substring of the request's path, without the query. */
  readonly path?: string | undefined;
  readonly destinationId?: string | undefined;
  readonly token?: string | undefined;
  readonly eventId?: string | undefined;
}

export type Fault =
  | { readonly kind: 'latency'; readonly ms: number }
  | { readonly kind: 'status'; readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> | undefined }
  | { readonly kind: 'rate_limit' | 'unavailable'; readonly variant?: string | undefined; readonly options: Readonly<Record<string, unknown>> }
  | { readonly kind: 'reset'; readonly when: 'before' | 'after' }
  | { readonly kind: 'hang' }
  | { readonly kind: 'trickle'; readonly msPerByte: number }
  | { readonly kind: 'html'; readonly status: number }
  | { readonly kind: 'truncate' }
  | { readonly kind: 'partial' };

export interface FaultRule {
  readonly platform: SandboxPlatform;
  readonly match: FaultMatch;
  /** How many more requests it hits; `undefined` until removed. */
  readonly times?: number | undefined;
  readonly fault: Fault;
}

export interface FaultStore {
  add(rule: FaultRule): string;
  remove(id: string): boolean;
  clear(): void;
  list(): readonly (FaultRule & { readonly id: string; readonly hits: number })[];
  any(platform: SandboxPlatform): boolean;
  /** The faults this request meets, oldest rule first: any number of latencies and then at most one other. Spends `times`. */
  take(platform: SandboxPlatform, path: string, facts: () => RequestFacts): readonly Fault[];
}

function matches(match: FaultMatch, path: string, facts: () => RequestFacts): boolean {
  if (match.path !== undefined && !path.includes(match.path)) return false;
  if (match.token !== undefined && facts().token !== match.token) return false;
  if (match.destinationId !== undefined && !(facts().destinationIds ?? []).includes(match.destinationId)) return false;
  return match.eventId === undefined || (facts().eventIds ?? []).includes(match.eventId);
}

export function createFaultStore(): FaultStore {
  const rules = new Map<string, { readonly rule: FaultRule; left: number; hits: number }>();
  let sequence = 0;
  return {
    add(rule) {
      sequence += 1;
      const id = `fault_${sequence}`;
      rules.set(id, { rule, left: rule.times ?? Number.POSITIVE_INFINITY, hits: 0 });
      return id;
    },
    remove: (id) => rules.delete(id),
    clear: () => rules.clear(),
    list: () =>
      [...rules].map(([id, { rule, left, hits }]) => ({ ...rule, id, hits, times: Number.isFinite(left) ? left : undefined })),
    any(platform) {
      if (rules.size === 0) return false;
      for (const { rule } of rules.values()) if (rule.platform === platform) return true;
      return false;
    },
    take(platform, path, facts) {
      const taken: Fault[] = [];
      for (const entry of rules.values()) {
        // A spent rule stays listed with its hits: tests read from there whether it struck.
        if (entry.rule.platform !== platform || entry.left <= 0 || !matches(entry.rule.match, path, facts)) continue;
        entry.left -= 1;
        entry.hits += 1;
        taken.push(entry.rule.fault);
        if (entry.rule.fault.kind !== 'latency') break;
      }
      return taken;
    },
  };
}
