import type { Fault, FaultMatch, FaultRule } from './faults.ts';
import type { SandboxPlatform } from './types.ts';

type Json = Readonly<Record<string, unknown>>;

export class ControlInputError extends Error {
  override readonly name = 'ControlInputError';
}

const PLATFORMS: readonly string[] = ['meta', 'google', 'linkedin'] satisfies SandboxPlatform[];

export function asObject(value: unknown, name: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ControlInputError(`${name} must be an object`);
  return value as Json;
}

export function readPlatform(value: unknown): SandboxPlatform {
  if (typeof value === 'string' && PLATFORMS.includes(value)) return value as SandboxPlatform;
  throw new ControlInputError(`platform must be one of ${PLATFORMS.join(', ')}`);
}

export function readString(value: unknown, name: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new ControlInputError(`${name} must be a non-empty string`);
}

/** Codes and variants are written as numbers as often as as strings. */
export function readCode(value: unknown, name: string): string | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'number' ? String(value) : readString(value, name);
}

export function readNumber(value: unknown, name: string, least: number): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= least) return value;
  throw new ControlInputError(`${name} must be a number >= ${least}`);
}

function readStatus(value: unknown): number {
  const status = readNumber(value, 'fault.status', 200);
  if (!Number.isInteger(status) || status > 599) throw new ControlInputError('fault.status must be an HTTP status 200..599');
  return status;
}

function readHeaders(value: unknown): Readonly<Record<string, string>> | undefined {
  if (value === undefined) return undefined;
  return Object.fromEntries(Object.entries(asObject(value, 'fault.headers')).map(([name, header]) => [name, String(header)]));
}

function readWhen(value: unknown): 'before' | 'after' {
  if (value === undefined || value === 'before') return 'before';
  if (value === 'after') return 'after';
  throw new ControlInputError("fault.when must be 'before' or 'after'");
}

function readCanned(kind: 'rate_limit' | 'unavailable', given: Json): Fault {
  const { kind: _kind, variant, ...options } = given;
  return { kind, variant: readCode(variant, 'fault.variant'), options };
}

const READERS: Readonly<Record<Fault['kind'], (given: Json) => Fault>> = {
  latency: (given) => ({ kind: 'latency', ms: readNumber(given['ms'], 'fault.ms', 0) }),
  status: (given) => ({ kind: 'status', status: readStatus(given['status']), body: given['body'], headers: readHeaders(given['headers']) }),
  rate_limit: (given) => readCanned('rate_limit', given),
  unavailable: (given) => readCanned('unavailable', given),
  reset: (given) => ({ kind: 'reset', when: readWhen(given['when']) }),
  hang: () => ({ kind: 'hang' }),
  trickle: (given) => ({ kind: 'trickle', msPerByte: readNumber(given['msPerByte'], 'fault.msPerByte', 0) }),
  html: (given) => ({ kind: 'html', status: given['status'] === undefined ? 502 : readStatus(given['status']) }),
  truncate: () => ({ kind: 'truncate' }),
  partial: () => ({ kind: 'partial' }),
};

function readMatch(value: unknown): FaultMatch {
  if (value === undefined) return {};
  const { path, destinationId, token, eventId, ...unknown } = asObject(value, 'match');
  // A misspelt matcher would make the fault hit everything.
  if (Object.keys(unknown).length > 0) throw new ControlInputError(`match knows no ${Object.keys(unknown).join(', ')}`);
  const optional = (member: unknown, name: string) => (member === undefined ? undefined : readString(member, `match.${name}`));
  return {
    path: optional(path, 'path'),
    destinationId: optional(destinationId, 'destinationId'),
    token: optional(token, 'token'),
    eventId: optional(eventId, 'eventId'),
  };
}

export function parseFaultRule(body: unknown): FaultRule {
  const given = asObject(body, 'body');
  const fault = asObject(given['fault'], 'fault');
  const kind = String(fault['kind']);
  if (!Object.hasOwn(READERS, kind)) throw new ControlInputError(`fault.kind must be one of ${Object.keys(READERS).join(', ')}`);
  return {
    platform: readPlatform(given['platform']),
    match: readMatch(given['match']),
    times: given['times'] === undefined ? undefined : readNumber(given['times'], 'times', 1),
    fault: READERS[kind as Fault['kind']](fault),
  };
}
