import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { sampleFiles } from './generator/files.ts';
import { mixedQuality } from './generator/mixed.ts';
import { createRandom } from './generator/random.ts';
import { DAY, type SampleEvent } from './generator/sample-event.ts';

const files = sampleFiles();

function eventsOf(name: string): SampleEvent[] {
  const text = files.get(name)!;
  if (name.endsWith('.json')) return JSON.parse(text) as SampleEvent[];
  return text.trimEnd().split('\n').map((line) => JSON.parse(line) as SampleEvent);
}

const all = ['shop-purchases.ndjson', 'crm-leads.ndjson', 'offline-sales.json', 'mixed-quality.ndjson'].map((name) => [name, eventsOf(name)] as const);

/** See generator/locales.ts for whose ranges these are. */
const FICTIONAL_PHONES = [
  /^\+1 \d{3}-555-01\d\d$/,
  /^\+44 (20 7946 0|7700 900)\d{3}$/,
  /^\+49 30 23125 \d{3}$/,
  /^\+33 1 99 00 \d\d \d\d$/,
  /^\+46 8 465 004 \d\d$/,
  /^\+61 2 5550 \d{4}$/,
];

describe('sample files', () => {
  it.each([...files.keys()])('generates the committed bytes of %s', async (name) => {
    const committed = await readFile(new URL(name, import.meta.url), 'utf8');
    expect(committed === files.get(name), `${name} differs: run node apps/sandbox/samples/generate.ts`).toBe(true);
  });

  it('stays under 4 MB', () => {
    const bytes = [...files.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    expect(bytes).toBeLessThan(4_000_000);
  });

  it.each(all)('%s has an event id only once', (_name, events) => {
    expect(new Set(events.map((event) => event.eventId)).size).toBe(events.length);
  });

  it('names nobody who could exist', () => {
    const users = all.flatMap(([, events]) => events.map((event) => event.user));
    const given = (key: 'email' | 'ipAddress' | 'phone') => users.flatMap((user) => user[key] ?? []);
    const strangers = [
      ...given('email').filter((email) => !/@([a-z-]+\.)?example\.(com|org|net)$/i.test(email.trim())),
      ...given('ipAddress').filter((address) => !/^(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+$|^2001:db8:/.test(address)),
      ...given('phone').filter((phone) => !FICTIONAL_PHONES.some((range) => range.test(phone))),
    ];
    expect(strangers).toEqual([]);
  });

  it('keeps good events within what the platforms take', () => {
    const oldest = { 'shop-purchases.ndjson': 6 * DAY, 'crm-leads.ndjson': 80 * DAY, 'offline-sales.json': 60 * DAY };
    for (const [name, days] of Object.entries(oldest)) {
      for (const event of eventsOf(name)) {
        expect(event.secondsAgo).toBeGreaterThan(0);
        expect(event.secondsAgo).toBeLessThanOrEqual(days);
      }
    }
  });

  it('spreads the faults among good purchases', () => {
    const rows = mixedQuality(300);
    const bad = rows.flatMap((row, n) => (row.expected.kind === 'delivered' ? [] : [n]));
    expect(rows).toHaveLength(300);
    expect(bad).toHaveLength(15);
    expect(bad[1]! - bad[0]!).toBeGreaterThan(10);
  });
});

describe('createRandom', () => {
  it('repeats itself for the same seed only', () => {
    const draw = (seed: number) => createRandom(seed).text(20, 'abcdefghij');
    expect(draw(1)).toBe(draw(1));
    expect(draw(1)).not.toBe(draw(2));
  });

  it('keeps to its bounds', () => {
    const random = createRandom(9);
    const seen = new Set(Array.from({ length: 500 }, () => random.int(2, 4)));
    expect(seen).toEqual(new Set([2, 3, 4]));
  });
});
