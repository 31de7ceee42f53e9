import type { Emulator } from './core/types.ts';
import { googleEmulator } from './google/index.ts';
import { linkedinEmulator } from './linkedin/index.ts';
import { metaManagementEmulator } from './meta-management/index.ts';
import { metaEmulator } from './meta/index.ts';

export const allEmulators = (): readonly Emulator[] => [metaEmulator(), metaManagementEmulator(), googleEmulator(), linkedinEmulator()];
