import { aPerson } from './person.ts';
import { createRandom, uuid, type Random } from './random.ts';
import { cents } from './shop.ts';
import { DAY, HOUR, type SampleEvent } from './sample-event.ts';

/** LinkedIn takes ninety days. */
const OLDEST = 80 * DAY;

/** Companies that do not exist, under domains that nobody can own. */
const COMPANIES = [
  'northwind-robotics.example.com', 'hollow-oak.example.org', 'zweistrom-logistik.example.net', 'atelier-meridien.example.org',
  'fjordlys.example.com', 'copperline.example.net', 'blau-und-partner.example.com', 'red-cedar-health.example.org',
  'pontus-maritime.example.com', 'greyfinch.example.net', 'solvente-chimie.example.org', 'kingfisher-grid.example.com',
] as const;

/** Stage of the pipeline, how often a lead is seen there, and what it is worth (deal value, currency units). */
const STAGES = [
  ['Lead', 0.55, 0, 0],
  ['MarketingQualifiedLead', 0.22, 150, 400],
  ['SalesQualifiedLead', 0.14, 800, 2500],
  ['ClosedWon', 0.09, 6000, 48_000],
] as const;

/** Leads of a CRM: business people with work addresses, some with LinkedIn's click id from the landing page. */
export function crmLeads(count: number, seed = 1848): SampleEvent[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, n) => aLead(random, n + 1));
}

function aLead(random: Random, number: number): SampleEvent {
  const person = aPerson(random, COMPANIES);
  const lead = `lead-${String(7000 + number).padStart(5, '0')}`;
  const [stage, , low, high] = aStage(random);
  // A click id comes only from the landing page; leads from fairs and imports have an address and a name instead.
  const clicked = random.chance(0.58);
  const mailed = !clicked || random.chance(0.9);
  return {
    eventName: stage,
    secondsAgo: random.int(HOUR, OLDEST),
    eventId: `${lead}-${stage}`,
    ...(high === 0 ? {} : { value: cents((random.int(low, high) + random.pick([0, 0, 0.5])) * person.locale.rate), currency: person.locale.currency }),
    user: {
      ...(mailed ? { email: person.email } : {}),
      ...(random.chance(0.72) ? { firstName: person.firstName, lastName: person.lastName, country: person.locale.country } : {}),
      ...(random.chance(0.3) ? { phone: person.phone } : {}),
      ...(random.chance(0.85) ? { externalId: `crm-${number * 7 + 90_000}` } : {}),
      ...(clicked ? { clickIds: { li_fat_id: uuid(random) } } : {}),
    },
    actionSource: 'crm',
  };
}

function aStage(random: Random): (typeof STAGES)[number] {
  let left = random.next();
  for (const stage of STAGES) {
    left -= stage[1];
    if (left < 0) return stage;
  }
  return STAGES[0];
}
