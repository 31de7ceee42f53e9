import { SANDBOX_NAMES, type Manifest } from './manifest.ts';
import type { FaultRule, SandboxControl } from './sandbox-control.ts';

const PLATFORMS = ['meta', 'google', 'linkedin'] as const;
/** An emulator on the same machine answers in a few ms; the platforms take about this long. */
const LATENCY_MS = 80;

/**
 * One bad moment on each platform, met by the first requests of the demo. Meta's limit is the one whose hint is in seconds: the others ask
 * for a minute at least. LinkedIn takes its events before the connection breaks, so that they arrive twice.
 */
export function scriptedFaults({ files }: Manifest): readonly (FaultRule & { readonly words: string })[] {
  const destinationOf = (platform: string) => files.find((plan) => plan.platform === platform)?.destinationId ?? '';
  return [
    ...PLATFORMS.map((platform) => ({ platform, fault: { kind: 'latency', ms: LATENCY_MS }, words: `${platform}: every answer takes ${LATENCY_MS} ms, as over a network` })),
    {
      platform: 'meta',
      match: { destinationId: destinationOf('metaads') },
      times: 1,
      fault: { kind: 'rate_limit', variant: '17', resetSeconds: 2, httpStatus: 429 },
      words: 'meta: one 429 that asks for 2 s of rest',
    },
    {
      platform: 'google',
      match: { destinationId: destinationOf('googleads') },
      times: 1,
      fault: { kind: 'unavailable', variant: '503' },
      words: 'google: one 503',
    },
    {
      platform: 'linkedin',
      match: { destinationId: destinationOf('linkedinads') },
      times: 1,
      fault: { kind: 'reset', when: 'after' },
      words: 'linkedin: one connection broken after the events were taken, so that they are sent twice',
    },
  ];
}

export async function scriptSandbox(control: SandboxControl, manifest: Manifest): Promise<void> {
  for (const { platform, poison } of manifest.files) {
    for (const [code, eventIds] of Object.entries(poison)) await control.poison(SANDBOX_NAMES[platform], code, eventIds);
  }
  for (const { words: _words, ...rule } of scriptedFaults(manifest)) await control.fault(rule);
}
