import { createFaultStore } from './faults.ts';
import type { FaultStore } from './faults.ts';
import { createRecord } from './record.ts';
import type { AcceptanceRecord } from './record.ts';
import { createScript } from './script.ts';
import type { Script } from './script.ts';
import type { SandboxCore } from './types.ts';

/** The core as the control API sees it; emulators only get the `SandboxCore` part. */
export interface ControlledCore {
  readonly core: SandboxCore;
  readonly record: AcceptanceRecord;
  readonly script: Script;
  readonly faults: FaultStore;
}

/** `now` is Unix ms; the control API shifts it. */
export function createCore(now: () => number = Date.now): ControlledCore {
  const record = createRecord();
  const script = createScript();
  const core: SandboxCore = {
    now: () => now() + script.clockOffsetMs,
    switchOf<T extends string | number | boolean>(name: string, byDefault: T): T {
      const value = script.switches.get(name);
      // A switch of another type than its default is a slip in a test; the default is the documented behaviour.
      return typeof value === typeof byDefault ? (value as T) : byDefault;
    },
    tokenState: (platform, token) => script.tokenState(platform, token),
    poison: (platform, eventId) => script.poison(platform, eventId),
    accept: (entry) => record.accept(entry),
    requested: (entry) => record.requested(entry),
  };
  return { core, record, script, faults: createFaultStore() };
}
