import { sendConversionsSchema, type SendConversions } from '@relay/contract';
import { acceptEvents } from '@relay/delivery';
import { PLATFORMS } from '@relay/platforms';
import { compileValidator } from '../../apps/api/src/json/compile-schemas.ts';
import { runTransform } from './transform-loop.ts';

/** The relay's way from a parsed body to Meta's: the api's check, what happens at ingest, and one body of all of it. */
const validate = compileValidator({ schema: sendConversionsSchema, httpPart: 'body', method: 'POST', url: '/v1/ads/conversions' });

runTransform((body) => {
  const checked = validate(body) as { value?: SendConversions; error?: Error };
  if (checked.value === undefined) throw checked.error ?? new Error('not checked');
  const { destinationId, events, testCode, consent } = checked.value;
  const accepted = acceptEvents({ accountId: 'acc_meta', definition: PLATFORMS.metaads, destinationId, events, testCode, consent, nowMs: Date.now() });
  if (accepted.refused.length > 0) throw new Error(accepted.refused[0]!.message);
  return `{"data":[${accepted.events.map(({ wire }) => wire).join(',')}]}`;
});
