import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutAt } from './salvage.ts';
import { sendUntilSettled } from './send-until-settled.ts';
import { accepted, aJob, anAccount, eventsOf, recordingPorts, rejectedEvents, type SentRequest } from './testing/deliver.test-kit.ts';

type Naming = 'none' | 'first' | 'all';

/** Sends n events in requests of the given sizes to a platform that refuses a set as a whole if it holds a poison event. */
async function salvage(n: number, poison: ReadonlySet<number>, requestSizes: readonly number[], naming: Naming) {
  const parts = numbered(n, requestSizes);
  const job = aJob({ jobId: 'j', parts });
  const bad = (wire: string) => poison.has(Number(wire.slice(2)));
  const { ports, recorded } = recordingPorts((request: SentRequest) => {
    const indices = request.items.flatMap((wire, index) => (bad(wire) ? [index] : []));
    if (indices.length === 0) return accepted();
    return rejectedEvents({ indices: naming === 'none' ? [] : naming === 'first' ? indices.slice(0, 1) : indices });
  });
  const result = await sendUntilSettled(await eventsOf(job), { account: anAccount(), accessToken: 't' }, ports);
  const numbers = (wires: readonly string[]) => wires.map((wire) => Number(wire.slice(2))).sort((a, b) => a - b);
  return { result, requests: recorded.requests.length, dead: numbers(recorded.dead()), delivered: numbers(recorded.delivered()) };
}

/** Request number of each of n events, the sizes taken round and round. */
function numbered(n: number, sizes: readonly number[]): number[] {
  const numbers: number[] = [];
  for (let request = 0; numbers.length < n; request += 1) {
    for (let i = 0; i < sizes[request % sizes.length]! && numbers.length < n; i += 1) numbers.push(request);
  }
  return numbers;
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

/** A number of events, some of them bad (none, one, a few, a lot, all), and sizes of client requests. */
const cases = fc
  .record({
    n: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 1200 })),
    badness: fc.constantFrom('none', 'one', 'few', 'many', 'all'),
    seed: fc.array(fc.nat(1_000_000), { minLength: 200, maxLength: 200, size: 'max' }),
    sizes: fc.array(fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 300 })), { minLength: 1, maxLength: 30 }),
    naming: fc.constantFrom<Naming>('none', 'first', 'all'),
  })
  .map(({ n, badness, seed, sizes, naming }) => {
    const counts = { none: 0, one: 1, few: 5, many: seed.length, all: 0 };
    const poison = new Set(badness === 'all' ? upTo(n) : seed.slice(0, counts[badness]).map((number) => number % n));
    return { n, poison, sizes, naming };
  });

describe('salvage', () => {
  it('buries exactly the poison events, delivers every other one once, in at most 2·k·log2(n) + 2 requests', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ n, poison, sizes, naming }) => {
        const { result, requests, dead, delivered } = await salvage(n, poison, sizes, naming);
        expect(result).toEqual({ open: [], stopped: undefined });
        expect(dead).toEqual([...poison].sort((a, b) => a - b));
        expect(delivered).toEqual(upTo(n).filter((i) => !poison.has(i)));
        const k = poison.size;
        const bound = k === 0 || n === 1 ? 1 : naming === 'all' ? 2 : naming === 'first' ? k + 1 : 2 * k * Math.log2(n) + 2;
        expect(requests).toBeLessThanOrEqual(bound);
      }),
      { numRuns: 250 },
    );
  });

  it('keeps the bound for one bad event at every place of every small set, whatever the requests', async () => {
    for (let n = 2; n <= 24; n += 1) {
      for (const sizes of [[1], [n], [2, 1], [1, n], [3], [n - 1, 1]]) {
        for (let bad = 0; bad < n; bad += 1) {
          const { requests } = await salvage(n, new Set([bad]), sizes, 'none');
          expect(requests, `n=${n} bad=${bad} sizes=${sizes.join()}`).toBeLessThanOrEqual(2 * Math.log2(n) + 2);
        }
      }
    }
  });

  it('sends a clean set once', async () => {
    await expect(salvage(1000, new Set(), [1], 'none')).resolves.toMatchObject({ requests: 1 });
  });

  it('asks about a single bad event once', async () => {
    await expect(salvage(1, new Set([0]), [1], 'none')).resolves.toMatchObject({ requests: 1, dead: [0] });
  });

  it('splits between client requests where that costs nothing: a good request beside a bad one stays whole', async () => {
    const { ports, recorded } = recordingPorts((request) => (request.items.includes('j/5') ? rejectedEvents() : accepted()));
    await sendUntilSettled(await eventsOf(aJob({ jobId: 'j', parts: [0, 0, 1, 1, 1, 1] })), { account: anAccount(), accessToken: 't' }, ports);
    expect(recorded.requests[1]!.items).toEqual(['j/0', 'j/1']);
    expect(recorded.dead()).toEqual(['j/5']);
  });
});

describe('cutAt', () => {
  it('moves the cut to a boundary between requests where both halves stay within the next lower power of two', () => {
    expect(cutAt([0, 0, 0, 1, 1, 1])).toBe(3);
    expect(cutAt([0, 0, 1, 1, 1, 1])).toBe(2); // 2 and 4
    expect(cutAt([0, 1, 1, 1, 1, 1])).toBe(3); // 1 and 5 would cost a level more
    expect(cutAt([0, 0, 0, 0, 1, 1])).toBe(3); // the first half is never the larger one
    expect(cutAt([0, 1])).toBe(1);
    expect(cutAt([0, 0, 0])).toBe(1);
  });

  it('leaves two halves, the first not the larger, neither past the power of two below n', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 5000 }), fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), (n, sizes) => {
        const size = cutAt(numbered(n, sizes));
        expect(size).toBeGreaterThan(0);
        expect(size).toBeLessThanOrEqual(n - size);
        expect(n - size).toBeLessThanOrEqual(2 ** Math.ceil(Math.log2(n) - 1));
      }),
    );
  });

  it('cannot be made to break the bound: the dearest cuts and places of k bad events, counted out', () => {
    const cost = dearest();
    for (let n = 2; n <= 40; n += 1) for (let k = 1; k <= n; k += 1) expect(cost(n, k), `n=${n} k=${k}`).toBeLessThanOrEqual(2 * k * Math.log2(n) + 2);
    for (let n = 41; n <= 5000; n += n < 1300 ? 1 : 37) expect(cost(n, 1), `n=${n}`).toBeLessThanOrEqual(2 * Math.log2(n) + 2);
  });
});

/** The most requests that k unnamed bad events among n can cost, over all cuts that `cutAt` may choose. */
function dearest(): (n: number, k: number) => number {
  const known = new Map<number, number>();
  const send = (n: number, k: number): number => (k === 0 || n === 1 ? 1 : 1 + cut(n, k));
  const cut = (n: number, k: number): number => {
    const key = n * 10_000 + k;
    const before = known.get(key);
    if (before !== undefined) return before;
    let most = 0;
    for (let size = Math.max(1, n - 2 ** Math.ceil(Math.log2(n) - 1)); size <= Math.floor(n / 2); size += 1) {
      for (let first = Math.max(0, k - (n - size)); first <= Math.min(size, k); first += 1) {
        const rest = n - size;
        const second = first === 0 && rest > 1 ? cut(rest, k) : send(rest, k - first);
        most = Math.max(most, send(size, first) + second);
      }
    }
    known.set(key, most);
    return most;
  };
  return send;
}
