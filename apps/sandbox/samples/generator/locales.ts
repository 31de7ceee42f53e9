import type { Random } from './random.ts';
import { DIGITS } from './random.ts';

/**
 * Countries of the sample people. Places are real, everybody in them is invented; phone numbers come from the ranges that
 * the countries' regulators keep for fiction, so that none of them can ever ring.
 */
export interface Locale {
  readonly country: string;
  readonly currency: string;
  /** Price level against the euro. */
  readonly rate: number;
  /** Share among the shop's customers. */
  readonly weight: number;
  readonly firstNames: readonly (readonly [name: string, gender: 'f' | 'm'])[];
  readonly lastNames: readonly string[];
  readonly places: readonly (readonly [city: string, zip: string, state?: string])[];
  phone(random: Random): string;
}

const two = (random: Random) => random.text(2, DIGITS);
const three = (random: Random) => random.text(3, DIGITS);

export const LOCALES: readonly Locale[] = [
  {
    country: 'US', currency: 'USD', rate: 1.1, weight: 30,
    firstNames: [['Olivia', 'f'], ['Emma', 'f'], ['Ava', 'f'], ['Harper', 'f'], ['Grace', 'f'], ['Liam', 'm'], ['Noah', 'm'], ['Ethan', 'm'], ['Mason', 'm'], ['Wyatt', 'm']],
    lastNames: ['Whitlock', 'Harmon', 'Delgado', 'Okafor', 'Brennan', 'Castellano', 'Redfern', "O'Malley", 'Lindqvist', 'Hargrove'],
    places: [['Portland', '97205', 'OR'], ['Austin', '78701', 'TX'], ['Columbus', '43215', 'OH'], ['Denver', '80202', 'CO'], ['Raleigh', '27601', 'NC'], ['San Jose', '95113', 'CA']],
    // 555-0100 to 555-0199 of every area code is kept for fiction (NANPA).
    phone: (random) => `+1 ${random.pick(['202', '503', '512', '614', '303', '919'])}-555-01${two(random)}`,
  },
  {
    country: 'GB', currency: 'GBP', rate: 0.85, weight: 18,
    firstNames: [['Amelia', 'f'], ['Isla', 'f'], ['Freya', 'f'], ['Poppy', 'f'], ['Niamh', 'f'], ['Oliver', 'm'], ['Alfie', 'm'], ['Rhys', 'm'], ['Callum', 'm'], ['Idris', 'm']],
    lastNames: ['Ashworth', 'Pemberton', 'MacAllister', 'Llewellyn', 'Achebe', 'Thistlewood', 'Fairbairn', 'Khanna', 'Smythe-Lowe', 'Winterbourne'],
    places: [['London', 'SE1 9SG'], ['Manchester', 'M1 1AE'], ['Bristol', 'BS1 4DJ'], ['Leeds', 'LS1 4AP'], ['Edinburgh', 'EH1 1YZ']],
    // Ofcom's numbers for drama.
    phone: (random) => (random.chance(0.6) ? `+44 20 7946 0${three(random)}` : `+44 7700 900${three(random)}`),
  },
  {
    country: 'DE', currency: 'EUR', rate: 1, weight: 22,
    firstNames: [['Lena', 'f'], ['Mia', 'f'], ['Käthe', 'f'], ['Jule', 'f'], ['Annika', 'f'], ['Jonas', 'm'], ['Lukas', 'm'], ['Jörg', 'm'], ['Emre', 'm'], ['Till', 'm']],
    lastNames: ['Aßmann', 'Brückner', 'Özdemir', 'Lindenau', 'Köhlmeier', 'von Rabenau', 'Sattelberg', 'Wrobel', 'Grünewald', 'Tiedemann'],
    places: [['Berlin', '10115'], ['München', '80331'], ['Hamburg', '20095'], ['Köln', '50667'], ['Leipzig', '04109'], ['Göttingen', '37073']],
    // Bundesnetzagentur's numbers for media, Berlin.
    phone: (random) => `+49 30 23125 ${three(random)}`,
  },
  {
    country: 'FR', currency: 'EUR', rate: 1, weight: 14,
    firstNames: [['Chloé', 'f'], ['Inès', 'f'], ['Manon', 'f'], ['Zoé', 'f'], ['Jade', 'f'], ['Léo', 'm'], ['Gaël', 'm'], ['Hugo', 'm'], ['Théo', 'm'], ['Maël', 'm']],
    lastNames: ['Beaulieu', 'Delacroix-Martin', 'Lefèvre', 'Rochambeau', 'Saint-Clair', 'Benhaddou', "d'Aubigny", 'Garnier', 'Pélissier', 'Vasseur'],
    places: [['Paris', '75011'], ['Lyon', '69002'], ['Nantes', '44000'], ['Saint-Étienne', '42000'], ['Marseille', '13006']],
    // ARCEP's numbers for audiovisual works.
    phone: (random) => `+33 1 99 00 ${two(random)} ${two(random)}`,
  },
  {
    country: 'SE', currency: 'SEK', rate: 11, weight: 8,
    firstNames: [['Ebba', 'f'], ['Åsa', 'f'], ['Linnea', 'f'], ['Signe', 'f'], ['Nils', 'm'], ['Björn', 'm'], ['Axel', 'm'], ['Östen', 'm']],
    lastNames: ['Ekström', 'Hallberg', 'Nyqvist', 'Sjölander', 'Åkerblom', 'Wikner', 'Dahlgård', 'Brolin'],
    places: [['Stockholm', '111 22'], ['Göteborg', '411 03'], ['Malmö', '211 20'], ['Umeå', '903 26']],
    // PTS's numbers for books and films, Stockholm.
    phone: (random) => `+46 8 465 004 ${two(random)}`,
  },
  {
    country: 'AU', currency: 'AUD', rate: 1.7, weight: 8,
    firstNames: [['Matilda', 'f'], ['Sienna', 'f'], ['Kirra', 'f'], ['Georgia', 'f'], ['Lachlan', 'm'], ['Cooper', 'm'], ['Jarrah', 'm'], ['Angus', 'm']],
    lastNames: ['Cartwright', 'Nguyen-Hale', 'Papadakis', 'Merriweather', 'Warrick', 'Delaney', 'Stavros', 'Bannerman'],
    places: [['Sydney', '2000', 'NSW'], ['Melbourne', '3000', 'VIC'], ['Brisbane', '4000', 'QLD'], ['Perth', '6000', 'WA']],
    // ACMA's numbers for creative works.
    phone: (random) => `+61 2 5550 ${two(random)}${two(random)}`,
  },
];

export const EEA_AND_UK: ReadonlySet<string> = new Set(['DE', 'FR', 'SE', 'GB']);

export function pickLocale(random: Random): Locale {
  let left = random.next() * LOCALES.reduce((sum, locale) => sum + locale.weight, 0);
  for (const locale of LOCALES) {
    left -= locale.weight;
    if (left < 0) return locale;
  }
  return LOCALES[0]!;
}
