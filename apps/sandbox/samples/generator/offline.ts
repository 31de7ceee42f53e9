import { EEA_AND_UK } from './locales.ts';
import { aPerson, ipv4, type Person } from './person.ts';
import { createRandom, URL_SAFE, type Random } from './random.ts';
import { cents, USER_AGENTS } from './shop.ts';
import { DAY, HOUR, type SampleEvent, type SampleUser } from './sample-event.ts';

/** Google takes ninety days after the click and advises a week; a till's nightly export is mostly young. */
const OLDEST = 60 * DAY;

const GOODS = [
  ['SOFA-3S', 'Three-seat sofa', 899],
  ['DESK-OAK', 'Oak desk', 540],
  ['LAMP-ARC', 'Arc lamp', 129],
  ['CHAIR-WIN', 'Windsor chair', 185],
  ['RUG-WOOL', 'Wool rug 2 x 3 m', 320],
] as const;

/** Sales in shops and orders by phone that began with a click on an ad. */
export function offlineSales(count: number, seed = 2400): SampleEvent[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, n) => (random.chance(0.7) ? aSale(random, n + 1) : aCall(random, n + 1)));
}

function aSale(random: Random, number: number): SampleEvent {
  const person = aPerson(random);
  const [id, name, price] = random.pick(GOODS);
  const item = { id, name, price: cents(price * person.locale.rate), quantity: random.pick([1, 1, 1, 2]) };
  return {
    eventName: 'StoreSale',
    secondsAgo: anAge(random),
    eventId: `till-${String(300_000 + number)}`,
    value: cents(item.price * item.quantity),
    currency: person.locale.currency,
    user: { ...contactOf(random, person), ...addressOf(random, person), ...clickOf(random, 0.55) },
    ...(random.chance(0.5) ? { items: [item] } : {}),
    actionSource: 'offline',
  };
}

function aCall(random: Random, number: number): SampleEvent {
  const person = aPerson(random);
  const placedOrder = random.chance(0.4);
  return {
    eventName: placedOrder ? 'PhoneOrder' : 'PhoneLead',
    secondsAgo: anAge(random),
    eventId: `call-${String(300_000 + number)}`,
    ...(placedOrder ? { value: cents(random.int(60, 900) * person.locale.rate), currency: person.locale.currency } : {}),
    user: { phone: person.phone, ...(random.chance(0.35) ? { email: person.email } : {}), ...deviceOf(random, person), ...clickOf(random, 0.7) },
    actionSource: 'phone_call',
  };
}

function anAge(random: Random): number {
  return random.chance(0.8) ? random.int(8 * HOUR, 7 * DAY) : random.int(7 * DAY, OLDEST);
}

function contactOf(random: Random, person: Person): SampleUser {
  if (random.chance(0.55)) return { email: person.email, ...(random.chance(0.5) ? { phone: person.phone } : {}) };
  return { phone: person.phone };
}

/** Google uses an address only when name, country and post code are all there. */
function addressOf(random: Random, person: Person): SampleUser {
  if (!random.chance(0.6)) return {};
  return { firstName: person.firstName, lastName: person.lastName, country: person.locale.country, city: person.city, zip: person.zip };
}

/** Google asks not to be sent addresses of devices in the EEA and the UK. */
function deviceOf(random: Random, person: Person): SampleUser {
  if (EEA_AND_UK.has(person.locale.country) || !random.chance(0.4)) return {};
  return { ipAddress: ipv4(random), userAgent: random.pick(USER_AGENTS) };
}

/** A click id on this share of them; iOS clicks bring a gbraid or wbraid in place of a gclid. */
function clickOf(random: Random, share: number): Pick<SampleUser, 'clickIds'> {
  if (!random.chance(share)) return {};
  if (random.chance(0.8)) return { clickIds: { gclid: `Cj0KCQ${random.text(50, URL_SAFE)}` } };
  return { clickIds: { [random.chance(0.7) ? 'gbraid' : 'wbraid']: `0AAAAA${random.text(22, URL_SAFE)}` } };
}
