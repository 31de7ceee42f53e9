import type { Emulator } from './core/types.ts';
import { metaEmulator } from './meta/index.ts';

export const allEmulators = (): readonly Emulator[] => [metaEmulator()];
