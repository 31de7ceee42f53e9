import { pickLocale, type Locale } from './locales.ts';
import type { Random } from './random.ts';

/** Somebody who does not exist. */
export interface Person {
  readonly locale: Locale;
  readonly firstName: string;
  readonly lastName: string;
  readonly gender: 'f' | 'm';
  /** Always under example.com, example.org or example.net (RFC 2606). */
  readonly email: string;
  readonly phone: string;
  readonly city: string;
  readonly zip: string;
  readonly state: string | undefined;
  /** YYYYMMDD. */
  readonly dob: string;
  /** Of RFC 5737 (IPv4) or RFC 3849 (IPv6): routed nowhere. */
  readonly ipAddress: string;
}

const DOMAINS = ['example.com', 'example.org', 'example.net', 'mail.example.com', 'post.example.org'] as const;
const IPV4_BLOCKS = ['192.0.2', '198.51.100', '203.0.113'] as const;

export function aPerson(random: Random, domains: readonly string[] = DOMAINS): Person {
  const locale = pickLocale(random);
  const [firstName, gender] = random.pick(locale.firstNames);
  const lastName = random.pick(locale.lastNames);
  const [city, zip, state] = random.pick(locale.places);
  return {
    locale,
    firstName,
    lastName,
    gender,
    email: emailOf(random, firstName, lastName, domains),
    phone: locale.phone(random),
    city,
    zip,
    state,
    dob: `${random.int(1955, 2005)}${pad(random.int(1, 12))}${pad(random.int(1, 28))}`,
    ipAddress: random.chance(0.2) ? ipv6(random) : ipv4(random),
  };
}

export function ipv4(random: Random): string {
  return `${random.pick(IPV4_BLOCKS)}.${random.int(1, 254)}`;
}

function ipv6(random: Random): string {
  const group = () => random.int(1, 0xffff).toString(16);
  return `2001:db8:${group()}:${group()}::${group()}`;
}

/** As people type them: now and then with capitals, a tag or a stray space, which the relay has to normalise away. */
function emailOf(random: Random, firstName: string, lastName: string, domains: readonly string[]): string {
  const first = ascii(firstName);
  const last = ascii(lastName);
  const local = random.pick([`${first}.${last}`, `${first}${last}`, `${first[0]}.${last}`, `${last}.${first}`]) + random.int(1, 999);
  const email = `${random.chance(0.04) ? `${local}+shop` : local}@${random.pick(domains)}`;
  if (random.chance(0.05)) return email.replace(/^./, (letter) => letter.toUpperCase());
  return random.chance(0.02) ? ` ${email} ` : email;
}

function ascii(name: string): string {
  const plain = name.replaceAll('ß', 'ss').normalize('NFD').replaceAll(/\p{M}/gu, '');
  return plain.toLowerCase().replaceAll(/[^a-z]/g, '');
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
