import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SAMPLES } from './paths.ts';
import type { SandboxPlatform } from './sandbox-control.ts';

/** `apps/sandbox/samples/manifest.json`: what the demo relays, and what has to become of it. */
export interface Manifest {
  readonly files: readonly FilePlan[];
  /** The first events of a file once more, each in a request of its own, to destinations taken in turn. */
  readonly singles: readonly SinglesPlan[];
}
export type PlatformName = 'metaads' | 'googleads' | 'linkedinads';
export interface FilePlan {
  readonly file: string;
  readonly platform: PlatformName;
  readonly accountId: string;
  readonly destinationId: string;
  /** Events in one client request. */
  readonly batch: number;
  readonly events: number;
  readonly delivered: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly dead: Readonly<Record<string, number>>;
  /** Event ids that the sandbox refuses, by the platform's code. */
  readonly poison: Readonly<Record<string, readonly string[]>>;
}
export interface SinglesPlan {
  readonly file: string;
  readonly platform: PlatformName;
  readonly accountId: string;
  readonly destinationIds: readonly string[];
  readonly idSuffix: string;
  readonly events: number;
}

export const SANDBOX_NAMES: Readonly<Record<PlatformName, SandboxPlatform>> = { metaads: 'meta', googleads: 'google', linkedinads: 'linkedin' };

export async function readManifest(): Promise<Manifest> {
  return JSON.parse(await readFile(join(SAMPLES, 'manifest.json'), 'utf8')) as Manifest;
}
