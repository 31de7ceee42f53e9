import Fastify, { LogController } from 'fastify';
import type { FastifyInstance } from 'fastify';

import { applyFaults } from './core/apply-faults.ts';
import { registerControl } from './core/control.ts';
import { createCore } from './core/create-core.ts';
import type { Emulator, SandboxCore } from './core/types.ts';
import { allEmulators } from './emulators.ts';

const BODY_LIMIT_BYTES = 64 * 1024 * 1024;

export interface SandboxOptions {
  /** All platforms if absent. */
  readonly emulators?: readonly Emulator[];
  /** pino level; `warn` if absent. */
  readonly logLevel?: string;
}

/** Builds the emulators and their control API; the app does not listen. */
export function buildSandbox(options: SandboxOptions = {}): { app: FastifyInstance; core: SandboxCore } {
  const app = Fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    logController: new LogController({ disableRequestLogging: true }),
    // Hanging and trickling answers would otherwise keep `close` waiting for ever.
    forceCloseConnections: true,
    logger: {
      level: options.logLevel ?? 'warn',
      // Queries carry access tokens.
      serializers: { req: (request) => ({ method: request.method, path: request.url.split('?', 1)[0] }) },
    },
  });
  const controlled = createCore();
  const emulators = options.emulators ?? allEmulators();
  app.register(async (scope) => registerControl(scope, controlled, emulators));
  for (const emulator of emulators) {
    app.register(async (scope) => {
      applyFaults(scope, emulator, controlled.core, controlled.faults);
      emulator.register(scope, controlled.core);
    });
  }
  return { app, core: controlled.core };
}
