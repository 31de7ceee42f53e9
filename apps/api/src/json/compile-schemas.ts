import { RelayError, sendConversionsSchema, type SendConversions } from '@relay/contract';
import type { FastifySchemaCompiler, FastifySerializerCompiler } from 'fastify';
import { z } from 'zod';
import { LargeBody } from '../ingest/large-body.ts';
import { describeIssue } from './describe-issue.ts';
import { explainFaults } from './explain-faults.ts';
import { fieldFaultsOf, isUnwalked } from './parse-body.ts';
import { compileQuickCheck } from './quick-check.ts';
import { isSound } from './tree-faults.ts';

const EMPTY_BODY = 'The request body is empty; send a JSON object with Content-Type: application/json. It';

/** Bodies that are large, and nearly always right; each with whether the parts that its schema says nothing of are sound. */
const CHECKED_QUICKLY: ReadonlyMap<unknown, (body: never) => boolean> = new Map([
  [sendConversionsSchema, ({ events }: SendConversions) => events.every(({ platformData }) => platformData === undefined || isSound(platformData, PLATFORM_DATA_DEPTH))],
]);
/** body, events, event. */
const PLATFORM_DATA_DEPTH = 3;

/** Whether this body schema's validator looks at what `parseBody` may put off. */
export function isCheckedQuickly(schema: unknown): boolean {
  return CHECKED_QUICKLY.has(schema);
}

/** One zod parse per part of a request; a fault becomes the API's own 400. */
export const compileValidator: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  const isBody = httpPart === 'body';
  const hasSoundParts = isBody ? CHECKED_QUICKLY.get(schema) : undefined;
  const isKnownRight = hasSoundParts === undefined ? () => false : compileKnownRight(schema, hasSoundParts);
  return (data: unknown) => {
    try {
      if (data instanceof LargeBody) return { value: data };
      if (isKnownRight(data)) return { value: data };
      const faults = isBody ? fieldFaultsOf(data) : [];
      const parsed = schema.safeParse(data, { error: describeIssue });
      if (parsed.success && faults.length === 0) return { value: parsed.data };
      const whole = isBody && data === null ? EMPTY_BODY : isBody ? 'The request body' : 'The address';
      return { error: explainFaults(parsed.error?.issues ?? [], faults, whole) };
    } catch (error) {
      if (error instanceof RelayError) return { error }; // what the walk that was put off found
      throw error;
    }
  };
};

/** Whether a body is known to be right as it stands; where not, it may be right all the same. */
function compileKnownRight(schema: z.ZodType, hasSoundParts: (body: never) => boolean): (data: unknown) => boolean {
  const isRight = compileQuickCheck(schema);
  return (data) => isRight(data) && (isUnwalked(data) ? hasSoundParts(data as never) : fieldFaultsOf(data).length === 0);
}

/** An answer is serialised once and not checked again: its shape is what the tests check, with `checkResponses`. */
export const compileSerializer: FastifySerializerCompiler<z.ZodType> = () => (data) => JSON.stringify(data);

/** For tests: an answer that its documented schema does not describe is an error. */
export const compileCheckedSerializer: FastifySerializerCompiler<z.ZodType> = ({ schema, method, url }) => (data) => {
  const text = JSON.stringify(data);
  const checked = schema.safeParse(JSON.parse(text));
  if (!checked.success) throw new Error(`${method} ${url} answers outside its schema:\n${z.prettifyError(checked.error)}`);
  return text;
};
