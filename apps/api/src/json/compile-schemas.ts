import { sendConversionsSchema } from '@relay/contract';
import type { FastifySchemaCompiler, FastifySerializerCompiler } from 'fastify';
import { z } from 'zod';
import { describeIssue } from './describe-issue.ts';
import { explainFaults } from './explain-faults.ts';
import { fieldFaultsOf } from './parse-body.ts';
import { compileQuickCheck } from './quick-check.ts';

const EMPTY_BODY = 'The request body is empty; send a JSON object with Content-Type: application/json. It';

/** Bodies that are large, and nearly always right. */
const CHECKED_QUICKLY: ReadonlySet<z.ZodType> = new Set([sendConversionsSchema]);

/** One zod parse per part of a request; a fault becomes the API's own 400. */
export const compileValidator: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  const isBody = httpPart === 'body';
  const isRight = isBody && CHECKED_QUICKLY.has(schema) ? compileQuickCheck(schema) : undefined;
  return (data: unknown) => {
    if (isRight?.(data) === true && fieldFaultsOf(data).length === 0) return { value: data };
    const parsed = schema.safeParse(data, { error: describeIssue });
    const faults = isBody ? fieldFaultsOf(data) : [];
    if (parsed.success && faults.length === 0) return { value: parsed.data };
    const whole = isBody && data === null ? EMPTY_BODY : isBody ? 'The request body' : 'The address';
    return { error: explainFaults(parsed.error?.issues ?? [], faults, whole) };
  };
};

/** An answer is serialised once and not checked again: its shape is what the tests check, with `checkResponses`. */
export const compileSerializer: FastifySerializerCompiler<z.ZodType> = () => (data) => JSON.stringify(data);

/** For tests: an answer that its documented schema does not describe is an error. */
export const compileCheckedSerializer: FastifySerializerCompiler<z.ZodType> = ({ schema, method, url }) => (data) => {
  const text = JSON.stringify(data);
  const checked = schema.safeParse(JSON.parse(text));
  if (!checked.success) throw new Error(`${method} ${url} answers outside its schema:\n${z.prettifyError(checked.error)}`);
  return text;
};
