import type { Health } from '@relay/delivery';

export function fakeHealth(): Health {
  return {
    ping: async () => 0.4,
    ledger: async () => [{ platform: 'metaads', accepted: 10, delivered: 5, dead: 1, held: 2, pending: 2, refused: 3 }],
    oldestAgeSeconds: async () => new Map([['metaads' as const, 7]]),
    queueCounts: async () => [{ queue: 'metaads', counts: { waiting: 2, active: 1 } }],
    cooldowns: async () => new Map([['acc_meta', 30]]),
  };
}
