import type { Kind } from './vocabulary.ts';

export type Json = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** `null` counts as absent. */
export const isAbsent = (value: unknown) => value === undefined || value === null;

export function isNumeric(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value));
}

const CHECKS: Readonly<Record<Kind, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  integer: (value) => Number.isInteger(value),
  number: isNumeric,
  boolean: (value) => typeof value === 'boolean',
  object: isObject,
  array: Array.isArray,
  strings: (value) => Array.isArray(value) && value.every((entry) => typeof entry === 'string'),
  id: (value) => typeof value === 'string' || Number.isInteger(value),
};

export const KIND_TEXTS: Readonly<Record<Kind, string>> = {
  string: 'a string',
  integer: 'an integer',
  number: 'a number',
  boolean: 'a boolean',
  object: 'an object',
  array: 'a list',
  strings: 'a list of strings',
  id: 'a string or an integer',
};

export const isKind = (value: unknown, kind: Kind) => CHECKS[kind](value);
