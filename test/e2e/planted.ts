import { createHash } from 'node:crypto';
import { SEED } from '@relay/sandbox';
import { anEvent, type Event } from './events.ts';
import { KEYS, OPS, SECRET_KEY } from './harness.ts';
import type { Redis } from 'ioredis';

/** A person whom nobody else is. Every text is odd enough to be found wherever it lies. */
export const PERSON = {
  email: 'Zq7.Planted.Mail@Quixotic-Example.org',
  phone: '+49 30 87654321',
  firstName: 'Xanthippeia',
  lastName: 'Quetzalcoatlsen',
  externalId: 'CRM-Planted-77431',
  ipAddress: '203.0.113.177',
  userAgent: 'PlantedBrowser/9.87 (Zq; Planted OS 77)',
  country: 'DE',
  city: 'Llanfairplanted',
  state: 'Plantedshire',
  zip: '98765',
  dob: '19770809',
  gender: 'f',
  leadId: '765432109876543',
  clickIds: { fbc: 'fb.1.1700000000000.PlantedFbc', fbp: 'fb.1.1700000000000.7654321077', gclid: 'PlantedGclid77', li_fat_id: '7a7a7a7a-7777-4777-8777-a7a7a7a7a7a7' },
} as const;

export function aPlantedEvent(eventId: string): Event {
  return anEvent(eventId, {
    user: PERSON,
    sourceUrl: 'https://shop.example.org/planted-page?for=zq7',
    platformData: { order_note: 'planted-note-77' },
    items: [{ id: 'PLANTED-SKU', name: 'Planted teapot', price: 7, quantity: 1 }],
    value: 7,
    currency: 'EUR',
  });
}

const { email, phone, firstName, lastName, externalId, ipAddress, userAgent, city, state, dob, leadId, clickIds } = PERSON;
/** What must not be readable anywhere. Compared without regard to case. Too short or too common to prove anything: country, gender, zip. */
export const PLAIN: readonly string[] = [
  email, phone, phone.replaceAll(/\D/g, ''), '87654321', firstName, lastName, externalId, ipAddress, userAgent, 'PlantedBrowser', city, state, dob, leadId, ...Object.values(clickIds),
  'planted-page', 'planted-note-77', 'PLANTED-SKU', 'Planted teapot',
];
/** No better than the text itself: mail addresses and phone numbers can be tried one by one. */
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
export const HASHED: readonly string[] = PLAIN.flatMap((text) => [text, text.toLowerCase(), `+${text}`, text.toLowerCase().replaceAll(/[^a-z0-9]/g, '')]).map(sha256);

export const SECRETS: readonly string[] = [
  SEED.meta.accessToken, SEED.google.clientSecret, SEED.google.refreshToken, SEED.google.developerToken, SEED.linkedin.accessToken, ...Object.values(KEYS), OPS.password, SECRET_KEY, 'ya29.',
];

/** The needles that this haystack holds. */
export function found(haystack: Buffer | string, needles: readonly string[]): string[] {
  const text = (typeof haystack === 'string' ? Buffer.from(haystack) : haystack).toString('latin1').toLowerCase();
  return needles.filter((needle) => text.includes(Buffer.from(needle).toString('latin1').toLowerCase()));
}

/** Every key of the database with all that it holds, as bytes. */
export async function readAll(redis: Redis): Promise<Buffer> {
  const parts: Buffer[] = [];
  let cursor = '0';
  do {
    const [next, keys] = await redis.scanBuffer(cursor, 'COUNT', 1000);
    cursor = next.toString();
    for (const key of keys) parts.push(key, ...(await readOne(redis, key)));
  } while (cursor !== '0');
  return Buffer.concat(parts);
}

async function readOne(redis: Redis, key: Buffer): Promise<Buffer[]> {
  const type = await redis.type(key);
  switch (type) {
    case 'string':
      return [(await redis.getBuffer(key)) ?? Buffer.alloc(0)];
    case 'hash':
      return flat(await redis.callBuffer('HGETALL', key));
    case 'list':
      return redis.lrangeBuffer(key, 0, -1);
    case 'set':
      return redis.smembersBuffer(key);
    case 'zset':
      return flat(await redis.callBuffer('ZRANGE', key, '0', '-1'));
    case 'stream':
      return flat(await redis.callBuffer('XRANGE', key, '-', '+'));
    case 'none': // expired since it was listed
      return [];
    default:
      throw new Error(`a key of the type ${type} is not looked into`);
  }
}

function flat(reply: unknown): Buffer[] {
  if (Array.isArray(reply)) return reply.flatMap(flat);
  return Buffer.isBuffer(reply) ? [reply] : [Buffer.from(String(reply))];
}
