import type { RedisConnection } from './connect.ts';
import { keepSubscribed } from './keep-subscribed.ts';
import { globals } from './keys.ts';

/** What a process may hold in a cache: an account, an API key, what cools down. */
export type ChangeKind = 'account' | 'api-key' | 'cooldown';

/** Tells all processes that something changed, so that their caches drop it at once. */
export interface ChangeFeed {
  announce(kind: ChangeKind, id: string): Promise<void>;
  /** `all`: the subscription was away and may have missed something. */
  onChange(listener: (kind: ChangeKind | 'all', id: string) => void): void;
}

/** @param subscriber a connection of role `subscriber` that does nothing else. */
export function createChangeFeed(connection: RedisConnection, subscriber: RedisConnection): ChangeFeed {
  const listeners: ((kind: ChangeKind | 'all', id: string) => void)[] = [];
  const tell = (kind: ChangeKind | 'all', id: string) => {
    for (const listener of listeners) listener(kind, id);
  };
  const onMessage = (text: string) => {
    const at = text.indexOf(' ');
    tell(text.slice(0, at) as ChangeKind, text.slice(at + 1));
  };
  keepSubscribed(subscriber, globals.changed, onMessage, () => tell('all', ''));
  return {
    async announce(kind, id) {
      // This process' own caches drop it before the change is answered.
      tell(kind, id);
      await connection.publish(globals.changed, `${kind} ${id}`);
    },
    onChange: (listener) => listeners.push(listener),
  };
}
