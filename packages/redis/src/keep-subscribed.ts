import type { RedisConnection } from './connect.ts';

/**
 * Subscribes, and again after every reconnect (ioredis would do that too, but lets its own attempt fail unheard).
 * @param onSubscribed from now on nothing is missed; called after every reconnect.
 */
export function keepSubscribed(subscriber: RedisConnection, channel: string, onMessage: (text: string) => void, onSubscribed: () => void = () => {}): void {
  const subscribe = () => {
    subscriber.subscribe(channel).then(onSubscribed, () => {
      // The connection broke again; the next one tries anew.
    });
  };
  subscriber.on('message', (from: string, text: string) => {
    if (from === channel) onMessage(text);
  });
  subscriber.on('ready', subscribe);
  if (subscriber.status === 'ready') subscribe();
}
