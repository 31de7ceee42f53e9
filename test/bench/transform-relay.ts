import { sendConversionsSchema, type SendConversions } from '@relay/contract';
import { acceptEvents } from '@relay/delivery';
import { PLATFORMS } from '@relay/platforms';
import { joinLines } from '@relay/redis/testing';
import { compileValidator } from '../../apps/api/src/json/compile-schemas.ts';
import { runTransform } from './transform-loop.ts';

const validate = compileValidator({ schema: sendConversionsSchema, httpPart: 'body', method: 'POST', url: '/v1/ads/conversions' });

/**
 * The relay's way from a parsed body to Meta's: the api's check, what happens at ingest, and the wire events written one after
 * the other, as they are packed; a worker cuts its requests out of these bytes.
 */
runTransform(
  (body) => {
    const checked = validate(body) as { value?: SendConversions; error?: Error };
    if (checked.value === undefined) throw checked.error ?? new Error('not checked');
    const { destinationId, events, testCode, consent } = checked.value;
    const accepted = acceptEvents({ accountId: 'acc_meta', definition: PLATFORMS.metaads, destinationId, events, testCode, consent, nowMs: Date.now() });
    if (accepted.refused.length > 0) throw new Error(accepted.refused[0]!.message);
    return joinLines(accepted.events.map(({ wire }) => wire));
  },
  (lines) => lines.toString().split('\n').map((line) => JSON.parse(line)),
);
