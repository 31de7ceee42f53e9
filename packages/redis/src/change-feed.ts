import type { RedisConnection } from './connect.ts';
import { keepSubscribed } from './keep-subscribed.ts';
import { globals } from './keys.ts';

/** Tells all processes that an account or API key changed, so that their caches drop it at once. */
export interface ChangeFeed {
  announce(kind: 'account' | 'api-key', id: string): Promise<void>;
  /** `all`: the subscription was away and may have missed something. */
  onChange(listener: (kind: 'account' | 'api-key' | 'all', id: string) => void): void;
}

/** @param subscriber a connection of role `subscriber` that does nothing else. */
export function createChangeFeed(connection: RedisConnection, subscriber: RedisConnection): ChangeFeed {
  const listeners: ((kind: 'account' | 'api-key' | 'all', id: string) => void)[] = [];
  const tell = (kind: 'account' | 'api-key' | 'all', id: string) => {
    for (const listener of listeners) listener(kind, id);
  };
  const onMessage = (text: string) => {
    const at = text.indexOf(' ');
    tell(text.slice(0, at) as 'account' | 'api-key', text.slice(at + 1));
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
