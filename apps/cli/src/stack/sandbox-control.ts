import { asRecord, listIn, type Json } from '../json.ts';

/** What the demo asks of the sandbox's control API. */
export interface SandboxControl {
  poison(platform: SandboxPlatform, code: string, eventIds: readonly string[]): Promise<void>;
  fault(rule: FaultRule): Promise<void>;
  /** Scripted faults with their `hits`. */
  faults(): Promise<readonly Json[]>;
  /** People tap ads and write to the WhatsApp number; all of it comes in one webhook. Answers with what the webhook was answered, repeat by repeat. */
  tapAds(clicks: readonly Json[], sending: { readonly webhookUrl: string; readonly times?: number; readonly signature?: string; readonly withStatuses?: boolean }): Promise<readonly number[]>;
  /** `total`, `unique` and `duplicates` of the events that one destination took. */
  accepted(destinationId: string): Promise<Json>;
  /** Per platform: requests, answers, events taken, sizes. */
  summary(): Promise<Readonly<Record<string, Json>>>;
}
export type SandboxPlatform = 'meta' | 'google' | 'linkedin';

export interface FaultRule {
  readonly platform: SandboxPlatform;
  readonly match?: { readonly destinationId?: string; readonly path?: string; readonly eventId?: string };
  /** Undefined: every request. */
  readonly times?: number;
  readonly fault: Readonly<Record<string, unknown>>;
}

const ANSWER_MS = 10_000;

export function createSandboxControl(url: string): SandboxControl {
  async function call(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${url}/_control/${path}`, {
      method,
      signal: AbortSignal.timeout(ANSWER_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`the sandbox answered ${method} ${path} with ${response.status}: ${text}`);
    return JSON.parse(text) as unknown;
  }
  return {
    poison: async (platform, code, eventIds) => void (await call('PUT', 'poison', { platform, code, eventIds })),
    fault: async (rule) => void (await call('POST', 'faults', rule)),
    faults: async () => listIn(await call('GET', 'faults'), 'faults'),
    async tapAds(clicks, sending) {
      const { deliveredStatuses } = asRecord(await call('POST', 'whatsapp/batch', { clicks, ...sending }));
      return Array.isArray(deliveredStatuses) ? deliveredStatuses.map(Number) : [];
    },
    accepted: async (destinationId) => asRecord(await call('GET', `accepted?limit=0&destinationId=${encodeURIComponent(destinationId)}`)),
    summary: async () => Object.fromEntries(Object.entries(asRecord(await call('GET', 'summary'))).map(([name, value]) => [name, asRecord(value)])),
  };
}
