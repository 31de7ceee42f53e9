import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          // Property tests on a busy machine.
          testTimeout: 20_000,
          include: ['packages/**/*.test.ts', 'apps/**/*.test.ts', 'test/unit/**/*.test.ts'],
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/setup/redis.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/setup/redis.ts'],
          testTimeout: 90_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        // Real processes under hard conditions: the short form of each test, and with CHAOS_LONG=1 the long one, which sets its own timeout.
        test: {
          name: 'chaos',
          include: ['test/chaos/{input,security}/**/*.test.ts'],
          globalSetup: ['test/setup/redis.ts', 'test/setup/chaos.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        // Crashes, outages and hostile platforms. They wait for locks and backoffs most of the time, so the short form runs side by
        // side and after all else; the long form measures, so one by one.
        test: {
          name: 'chaos-reliability',
          include: ['test/chaos/reliability/**/*.test.ts'],
          globalSetup: ['test/setup/redis.ts', 'test/setup/chaos.ts', 'test/chaos/reliability/print-table.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // eslint-disable-next-line node/no-process-env
          maxWorkers: process.env['CHAOS_LONG'] === '1' ? 1 : 3,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
