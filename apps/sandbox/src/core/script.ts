import type { PoisonRule, SandboxPlatform } from './types.ts';

export type TokenState = 'unset' | 'valid' | 'expired' | 'revoked' | 'no_scope';
export type SwitchValue = string | number | boolean;

/** What a test scripted besides faults: poison, tokens, switches and the clock. */
export interface Script {
  clockOffsetMs: number;
  readonly switches: Map<string, SwitchValue>;
  poison(platform: SandboxPlatform, eventId: string): PoisonRule | undefined;
  addPoison(platform: SandboxPlatform, eventIds: readonly string[], rule: PoisonRule): void;
  clearPoison(): void;
  poisoned(): Record<string, number>;
  tokenState(platform: SandboxPlatform, token: string): TokenState;
  setToken(platform: SandboxPlatform, token: string, state: TokenState): void;
  clear(): void;
}

export function createScript(): Script {
  const switches = new Map<string, SwitchValue>();
  const poison = new Map<SandboxPlatform, Map<string, PoisonRule>>();
  const tokens = new Map<string, TokenState>();
  const script: Script = {
    clockOffsetMs: 0,
    switches,
    // Asked once per event: nothing but one lookup while nothing is poisoned.
    poison: (platform, eventId) => (poison.size === 0 ? undefined : poison.get(platform)?.get(eventId)),
    addPoison(platform, eventIds, rule) {
      const rules = poison.get(platform) ?? new Map<string, PoisonRule>();
      for (const eventId of eventIds) rules.set(eventId, rule);
      poison.set(platform, rules);
    },
    clearPoison: () => poison.clear(),
    poisoned: () => Object.fromEntries([...poison].map(([platform, rules]) => [platform, rules.size])),
    tokenState: (platform, token) => tokens.get(`${platform} ${token}`) ?? 'unset',
    setToken(platform, token, state) {
      if (state === 'unset') tokens.delete(`${platform} ${token}`);
      else tokens.set(`${platform} ${token}`, state);
    },
    clear() {
      script.clockOffsetMs = 0;
      switches.clear();
      poison.clear();
      tokens.clear();
    },
  };
  return script;
}
