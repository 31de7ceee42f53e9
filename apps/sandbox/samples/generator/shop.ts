import { aPerson, type Person } from './person.ts';
import { createRandom, DIGITS, URL_SAFE, type Random } from './random.ts';
import { DAY, HOUR, MINUTE, type SampleEvent, type SampleUser } from './sample-event.ts';

/** Click and browser ids carry the time they were made; the files are static, so it is a fixed day. */
export const CLICK_BASE_MS = Date.UTC(2026, 10, 13);

const SHOP = 'https://shop.example.com';
/** Meta takes seven days; a day is left for clocks and for a demo that runs long. */
const OLDEST = 6 * DAY;

const PRODUCTS = [
  ['TEA-EARL-250', 'Earl Grey 250 g', 12.9, 'tea'],
  ['TEA-SENCHA-100', 'Sencha 100 g', 14.5, 'tea'],
  ['TEA-ROOIBOS-500', 'Rooibos 500 g', 16.9, 'tea'],
  ['POT-CAST-08', 'Cast iron teapot 0.8 l', 64, 'teaware'],
  ['POT-GLASS-12', 'Glass teapot 1.2 l', 39.9, 'teaware'],
  ['CUP-STONE-2', 'Stoneware cups, set of two', 24, 'teaware'],
  ['KETTLE-GOOSE', 'Gooseneck kettle', 89, 'kitchen'],
  ['FILTER-100', 'Paper filters, 100', 4.5, 'kitchen'],
  ['GIFT-BOX-M', 'Gift box, medium', 34.9, 'gifts'],
] as const;

export const USER_AGENTS = [
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Linux; Android 15; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15',
] as const;

type Item = NonNullable<SampleEvent['items']>[number];

/** Visits of a web shop: a basket, often a checkout, sometimes a purchase, each with what the shop knew by then. */
export function shopPurchases(count: number, seed = 4711): SampleEvent[] {
  const random = createRandom(seed);
  const events: SampleEvent[] = [];
  for (let visit = 1; events.length < count; visit += 1) events.push(...aVisit(random, visit));
  return events.slice(0, count);
}

function aVisit(random: Random, visit: number): SampleEvent[] {
  const person = aPerson(random);
  const browser = browserOf(random, person);
  const items = aBasket(random, person.locale.rate);
  const money = { value: total(items), currency: person.locale.currency };
  const order = `SO-${String(100_000 + visit)}`;
  const start = random.int(2 * HOUR, OLDEST);
  const web = { actionSource: 'web' as const, items };

  const visitEvents: SampleEvent[] = [
    { eventName: 'AddToCart', secondsAgo: start, eventId: `${order}-cart`, ...money, user: browser, ...web, sourceUrl: `${SHOP}/p/${items[0].id.toLowerCase()}` },
  ];
  if (!random.chance(0.62)) return visitEvents;
  const known = { email: person.email, ...browser, country: person.locale.country };
  const checkout = start - random.int(2 * MINUTE, 25 * MINUTE);
  visitEvents.push({ eventName: 'InitiateCheckout', secondsAgo: checkout, eventId: `${order}-checkout`, ...money, user: known, ...web, sourceUrl: `${SHOP}/checkout` });
  if (!random.chance(0.7)) return visitEvents;
  visitEvents.push({
    eventName: 'Purchase',
    secondsAgo: checkout - random.int(MINUTE, 15 * MINUTE),
    eventId: order,
    ...money,
    user: buyerOf(random, person, known, visit),
    ...web,
    sourceUrl: `${SHOP}/thank-you`,
    ...(random.chance(0.3) ? { platformData: { order_id: order, delivery_category: 'home_delivery' } } : {}),
  });
  return visitEvents;
}

function browserOf(random: Random, person: Person): SampleUser {
  const madeMs = CLICK_BASE_MS - random.int(1, 20 * DAY) * 1000;
  const fbp = `fb.1.${madeMs}.${random.text(10, DIGITS).replace(/^0/, '7')}`;
  const fbc = random.chance(0.45) ? { fbc: `fb.1.${madeMs + 5000}.IwAR${random.text(24, URL_SAFE)}` } : {};
  return { ipAddress: person.ipAddress, userAgent: random.pick(USER_AGENTS), clickIds: { ...fbc, fbp } };
}

function buyerOf(random: Random, person: Person, known: SampleUser, visit: number): SampleUser {
  return {
    ...known,
    ...(random.chance(0.6) ? { phone: person.phone } : {}),
    firstName: person.firstName,
    lastName: person.lastName,
    externalId: `cust-${String(50_000 + visit)}`,
    city: person.city,
    ...(person.state === undefined ? {} : { state: person.state }),
    zip: person.zip,
    ...(random.chance(0.15) ? { dob: person.dob, gender: person.gender } : {}),
  };
}

function aBasket(random: Random, rate: number): [Item, ...Item[]] {
  const first = random.int(0, PRODUCTS.length - 1);
  const size = random.pick([1, 1, 1, 2, 2, 3]);
  const items = Array.from({ length: size }, (_, n) => {
    const [id, name, price, category] = PRODUCTS[(first + n * 2) % PRODUCTS.length]!;
    return { id, name, price: cents(price * rate), quantity: random.pick([1, 1, 1, 2]), ...(n === 0 ? { category } : {}) };
  });
  return items as [Item, ...Item[]];
}

function total(items: readonly Item[]): number {
  return cents(items.reduce((sum, item) => sum + item.price * item.quantity, 0));
}

/** Rounded to what a price tag can show. */
export function cents(amount: number): number {
  return Math.round(amount * 100) / 100;
}
