import { Pool } from 'undici';

/** Sends a number of requests of the same size, so many at a time. */
export interface Load {
  readonly url: string;
  readonly apiKey: string;
  readonly requests: number;
  readonly eventsPerRequest: number;
  readonly concurrency: number;
  /** Answers when queued (`respond-async`) or when delivered. */
  readonly sync: boolean;
}
export interface LoadResult {
  readonly tookMs: number;
  readonly latenciesMs: readonly number[];
}

let nextId = 0;

/** A shop purchase with what such an event usually has: about 0.9 KB, eight values to hash. */
function anEvent(nowS: number): object {
  nextId += 1;
  const n = nextId;
  return {
    eventName: 'Purchase',
    eventTime: nowS,
    eventId: `order-${process.pid}-${n}`,
    value: 12.5 + (n % 100),
    currency: 'EUR',
    user: {
      email: `customer${n}@example.com`,
      phone: `+1202555${String(n % 10_000).padStart(4, '0')}`,
      firstName: `Jane${n % 500}`,
      lastName: `Doe${n % 5000}`,
      country: 'us',
      city: 'New York',
      zip: '10001',
      externalId: `customer-${n}`,
      ipAddress: '203.0.113.7',
      userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36',
      clickIds: { fbc: `fb.1.1790000000000.AbCdEf${n}`, fbp: `fb.1.1790000000000.${n}` },
    },
    items: [{ id: `sku-${n % 50}`, price: 6.25, quantity: 2 }],
    sourceUrl: 'https://shop.example/thank-you',
    actionSource: 'web',
  };
}

/** Bodies are made before the clock starts; big ones repeat, since making them would be measured else. */
export async function run(load: Load): Promise<LoadResult> {
  const nowS = Math.floor(Date.now() / 1000);
  const distinct = load.eventsPerRequest > 1 ? Math.min(load.requests, 40) : load.requests;
  const bodies = Array.from({ length: distinct }, () =>
    JSON.stringify({ accountId: 'acc_meta', destinationId: '1000000000000001', events: Array.from({ length: load.eventsPerRequest }, () => anEvent(nowS)) }),
  );
  const pool = new Pool(load.url, { connections: load.concurrency, pipelining: 1 });
  const headers = { authorization: `Bearer ${load.apiKey}`, 'content-type': 'application/json', ...(load.sync ? {} : { prefer: 'respond-async' }) };
  const latenciesMs: number[] = [];
  let sent = 0;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: load.concurrency }, async () => {
      while (sent < load.requests) {
        const body = bodies[sent++ % distinct]!;
        const at = performance.now();
        const reply = await pool.request({ path: '/v1/ads/conversions', method: 'POST', headers, body });
        const text = await reply.body.text();
        if (reply.statusCode >= 300) throw new Error(`answered ${reply.statusCode}: ${text.slice(0, 300)}`);
        latenciesMs.push(performance.now() - at);
      }
    }),
  );
  const tookMs = performance.now() - startedAt;
  await pool.close();
  return { tookMs, latenciesMs: latenciesMs.sort((a, b) => a - b) };
}
