import { InvalidArgumentError } from 'commander';

/** Parser of a commander option: a whole number within bounds, ends included. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text.trim()) || value < min || value > max) {
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

export function oneOf<T extends string>(...allowed: readonly T[]): (text: string) => T {
  return (text) => {
    if ((allowed as readonly string[]).includes(text)) return text as T;
    throw new InvalidArgumentError(`It must be one of ${allowed.join(', ')}.`);
  };
}

/** Parser of `a,b,c`. */
export function commaList(text: string): string[] {
  const list = text.split(',').map((part) => part.trim()).filter((part) => part !== '');
  if (list.length === 0) throw new InvalidArgumentError('It must name at least one.');
  return list;
}

export const PLATFORMS = ['metaads', 'googleads', 'linkedinads', 'whatsapp'] as const;
