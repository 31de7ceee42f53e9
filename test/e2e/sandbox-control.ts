export type SandboxPlatform = 'meta' | 'google' | 'linkedin';
export interface FaultRule {
  readonly platform: SandboxPlatform;
  readonly match?: Readonly<Record<string, string>>;
  readonly times?: number;
  readonly fault: Readonly<Record<string, unknown>>;
}
export interface Accepted {
  readonly total: number;
  readonly unique: number;
  readonly duplicates: number;
  readonly events: readonly { readonly platform: string; readonly destinationId: string; readonly eventId: string; readonly times: number }[];
}
/** `status` 0: no answer. */
export interface SeenRequest {
  readonly platform: SandboxPlatform;
  readonly route: string;
  readonly status: number;
  readonly events: number;
  readonly atMs: number;
}
/** A tap on an ad that leads to WhatsApp, and the webhook that tells of it; members in `apps/sandbox/src/whatsapp/README.md`. */
export type Tap = Readonly<Record<string, string | number | boolean>> & { readonly waId: string };
export interface Tapped {
  readonly ctwaClid: string | null;
  readonly wamid: string;
  /** What the webhook was answered with, repeat by repeat; 0: no answer. */
  readonly deliveredStatuses: readonly number[];
}
export type Switches = Readonly<Record<string, string | number | boolean | null>>;

/** A token of a second Meta account, valid besides the seeded one. */
export const SECOND_META_TOKEN = 'sandbox-meta-token-2';

export type Sandbox = ReturnType<typeof createSandbox>;

/** The sandbox's control API. */
export function createSandbox(url: string, switches: Switches) {
  async function call(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${url}/_control/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`the sandbox answered ${method} ${path} with ${response.status}: ${text}`);
    return JSON.parse(text) as unknown;
  }
  const baseline = async (): Promise<void> => {
    await call('PUT', 'tokens', { platform: 'meta', token: SECOND_META_TOKEN, state: 'valid' });
    if (Object.keys(switches).length > 0) await call('PUT', 'switches', switches);
  };
  return {
    url,
    baseline,
    /** Forgets records, faults, poison, tokens and switches, and starts over from the test's own. */
    async reset(): Promise<void> {
      await call('POST', 'reset');
      await baseline();
    },
    async fault(rule: FaultRule): Promise<string> {
      return ((await call('POST', 'faults', rule)) as { id: string }).id;
    },
    clearFaults: () => call('DELETE', 'faults'),
    faults: async () => ((await call('GET', 'faults')) as { faults: { id: string; hits: number }[] }).faults,
    poison: (platform: SandboxPlatform, eventIds: readonly string[], code?: string) => call('PUT', 'poison', { platform, eventIds, code }),
    token: (platform: SandboxPlatform, token: string, state: 'valid' | 'expired' | 'revoked' | 'no_scope' | 'unset') => call('PUT', 'tokens', { platform, token, state }),
    switches: (values: Switches) => call('PUT', 'switches', values),
    accepted: async (filter: { platform?: SandboxPlatform; destinationId?: string; eventId?: string; limit?: number } = {}): Promise<Accepted> => {
      const query = new URLSearchParams(Object.entries(filter).map(([name, value]): [string, string] => [name, String(value)]));
      return (await call('GET', `accepted?${query.toString()}`)) as Accepted;
    },
    tap: async (tap: Tap): Promise<Tapped> => (await call('POST', 'whatsapp/click', { adId: '120226305854810726', ...tap })) as Tapped,
    /** Several taps, in one webhook or in one each. */
    taps: async (clicks: readonly Tap[], sending: Readonly<Record<string, unknown>>) =>
      (await call('POST', 'whatsapp/batch', { clicks: clicks.map((tap) => ({ adId: '120226305854810726', ...tap })), ...sending })) as { readonly clicks: readonly Pick<Tapped, 'ctwaClid' | 'wamid'>[]; readonly deliveredStatuses: readonly number[] },
    /** The handshake of a subscription. */
    verify: async (given: Readonly<Record<string, string>>) => (await call('POST', 'whatsapp/verify', given)) as { readonly status: number; readonly verified: boolean },
    /** Oldest first. */
    requests: async (platform: SandboxPlatform): Promise<readonly SeenRequest[]> =>
      ((await call('GET', `requests?platform=${platform}&limit=10000`)) as { requests: SeenRequest[] }).requests.toReversed(),
    /** How often the platform took each of these events, for whichever destination. */
    async timesTaken(platform: SandboxPlatform, eventIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
      const wanted = new Set(eventIds);
      const { events } = (await call('GET', `accepted?platform=${platform}&limit=1000000`)) as Accepted;
      const taken = new Map<string, number>();
      for (const { eventId, times } of events) if (wanted.has(eventId)) taken.set(eventId, (taken.get(eventId) ?? 0) + times);
      return taken;
    },
  };
}
