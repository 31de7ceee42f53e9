import { ADMIN_EXAMPLES } from './admin-examples.ts';
import { addByHand } from './by-hand.ts';
import { CONVERSION_EXAMPLES } from './conversion-examples.ts';
import { DESTINATION_EXAMPLES } from './destination-examples.ts';
import { ERROR_EXAMPLES, RECONNECT_EXAMPLE } from './error-examples.ts';
import type { Examples, OperationExample } from './operation-example.ts';
import { OPS_EXAMPLES } from './ops-examples.ts';
import { WHATSAPP_EXAMPLES } from './whatsapp-examples.ts';

export const EXAMPLES: Examples = { ...CONVERSION_EXAMPLES, ...DESTINATION_EXAMPLES, ...WHATSAPP_EXAMPLES, ...ADMIN_EXAMPLES, ...OPS_EXAMPLES };

/** The parts of an OpenAPI document that examples go into. */
export interface Operation {
  parameters?: Parameter[];
  requestBody?: { required?: boolean; content?: Content };
  responses?: Record<string, { description?: string; content?: Content }>;
}
interface Parameter {
  readonly in?: string;
  readonly name?: string;
  readonly required?: boolean;
  readonly schema?: { readonly type?: string; readonly description?: string; readonly deprecated?: boolean; readonly minLength?: number; readonly maxLength?: number };
  example?: unknown;
  description?: string;
  deprecated?: boolean;
}
type Content = Record<string, { schema?: { type?: string; description?: string; anyOf?: readonly { type?: string }[] }; example?: unknown; examples?: unknown }>;

/** What is read by hand, one working call and its answers for each operation, and what its errors look like. */
export function addExamples(paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>): void {
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(operations)) finishOperation(operation, `${method.toUpperCase()} ${path}`);
  }
}

function finishOperation(operation: Operation, name: string): void {
  const example = EXAMPLES[name];
  addByHand(operation, name);
  for (const parameter of operation.parameters ?? []) finishParameter(parameter, example);
  if (operation.requestBody !== undefined) finishBody(operation.requestBody, example);
  for (const [status, { content }] of Object.entries(operation.responses ?? {})) {
    const [answer] = Object.values(content ?? {});
    const shown = example?.answers[Number(status)] ?? ERROR_EXAMPLES[status];
    if (answer !== undefined && shown !== undefined) Object.assign(answer, exampleOf(shown, status === '401' && name in DESTINATION_EXAMPLES));
  }
}

function exampleOf(shown: unknown, isReconnectToo: boolean): object {
  if (!isReconnectToo) return { example: shown };
  return { examples: { key: { summary: 'The API key', value: shown }, reconnect: { summary: "The account's token", value: RECONNECT_EXAMPLE } } };
}

/** A body that may be null may be left out. */
function finishBody(requestBody: NonNullable<Operation['requestBody']>, example: OperationExample | undefined): void {
  const body = requestBody.content?.['application/json'];
  if (body === undefined) return;
  if (example?.body !== undefined) body.example = example.body;
  if (body.schema?.anyOf?.some(({ type }) => type === 'null') === true) requestBody.required = false;
}

/** Readers show what stands at the parameter, not what stands in its schema. */
function finishParameter(parameter: Parameter, example: OperationExample | undefined): void {
  const { schema, name = '' } = parameter;
  if (schema?.description !== undefined) parameter.description = schema.description;
  if (schema?.deprecated === true) parameter.deprecated = true;
  const value = example?.[parameter.in as 'path' | 'query' | 'header']?.[name];
  if (value !== undefined) parameter.example = value;
}
