import { MAX_WAIT_SECONDS } from '../conversion-headers.ts';
import type { Operation } from './add-examples.ts';

/** What routes read by hand, and so stands in no schema of theirs: headers, and what Meta sends to its webhook. */

const text = (description: string) => ({ schema: { type: 'string' }, description });

const SEND_HEADERS: NonNullable<Operation['parameters']> = [
  { in: 'header', name: 'Prefer', ...text(`RFC 7240: \`respond-async\`, \`wait=N\` (seconds, at most ${MAX_WAIT_SECONDS}), or both`) },
  {
    in: 'header',
    name: 'Idempotency-Key',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
    description: 'The same key with the same body within 24 h answers with the first delivery (`Idempotent-Replayed: true`)',
  },
];

const BY_HAND: Readonly<Record<string, Pick<Operation, 'parameters' | 'requestBody'>>> = {
  'POST /v1/ads/conversions': { parameters: SEND_HEADERS },
  'POST /v1/ads/conversions/adjustments': { parameters: SEND_HEADERS },
  'POST /v1/whatsapp/conversions': { parameters: SEND_HEADERS },
  'GET /webhooks/whatsapp': {
    parameters: [
      { in: 'query', name: 'hub.mode', required: true, ...text('`subscribe`') },
      { in: 'query', name: 'hub.verify_token', required: true, ...text('`META_VERIFY_TOKEN`') },
      { in: 'query', name: 'hub.challenge', required: true, ...text('Comes back as it is') },
    ],
  },
  'POST /webhooks/whatsapp': {
    parameters: [{ in: 'header', name: 'X-Hub-Signature-256', required: true, ...text('`sha256=` and the HMAC-SHA256 of the raw body under `META_APP_SECRET`, in hex') }],
    requestBody: {
      required: true,
      content: { 'application/json': { schema: { type: 'object', description: "Meta's notification; what is not about messages is taken and left aside" } } },
    },
  },
};

export function addByHand(operation: Operation, name: string): void {
  const { parameters = [], requestBody } = BY_HAND[name] ?? {};
  // Copies: examples are written into them.
  if (parameters.length > 0) operation.parameters = [...(operation.parameters ?? []), ...structuredClone(parameters)];
  if (requestBody !== undefined) operation.requestBody = structuredClone(requestBody);
}
