import { heldAccounts, type SharedStore } from '@relay/redis';
import type { Logger, WorkerConfig } from '@relay/runtime';

/** How often workers look for held events whose account is active again. */
const EVERY_MS = 5_000;

/**
 * Releasing starts with the change of credentials; this finishes what a crash or a race left behind: a job that was just
 * being put on hold while the account became active, or an API process that died half way.
 */
export function sweepHeld(store: SharedStore, config: WorkerConfig, logger: Logger): AsyncDisposable {
  const lanes = store.lanes.all.filter((lane) => (config.platforms as readonly string[]).includes(lane.platform));
  let running: Promise<void> | undefined;
  const sweep = async () => {
    for (const lane of lanes) {
      for (const accountId of (await heldAccounts(store.connection, lane)).keys()) {
        if ((await store.accounts.get(accountId))?.status !== 'active') continue;
        const events = await store.release(lane.platform, accountId);
        if (events > 0) logger.info({ accountId, platform: lane.platform, events }, 'hold.released');
      }
    }
  };
  const timer = setInterval(() => {
    // A sweep waits for ever while Redis is away: the next ones would only queue up behind it.
    running ??= sweep()
      .catch((error: unknown) => logger.error({ err: error }, 'hold.sweep_failed'))
      .finally(() => {
        running = undefined;
      });
  }, EVERY_MS);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await running;
    },
  };
}
