import { beforeEach, expect, it } from 'vitest';
import { aDestination, aRequest, aStage, aToken, anEvent, found, ingest, status } from './testkit.ts';
import type { ErrorBody, Json, Stage } from './testkit.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await aStage();
});

const events = [1, 2, 3].map((index) => anEvent({ transactionId: `t${index}` }));

async function sent(change: Json = {}): Promise<string> {
  return String((await ingest(stage, aRequest({ events, ...change }))).json<Json>()['requestId']);
}

it('says PROCESSING first, then the counts per destination', async () => {
  const destinations = [aDestination(), aDestination({ reference: 'd1', productDestinationId: '112' })];
  const [first, ...rest] = events;
  const requestId = await sent({ destinations, events: [{ ...first, destinationReferences: ['d1'] }, ...rest] });
  expect((await status(stage, requestId)).json()).toEqual({
    requestStatusPerDestination: destinations.map((destination) => ({ destination, requestStatus: 'PROCESSING' })),
  });
  expect((await status(stage, requestId)).json()).toEqual({
    requestStatusPerDestination: [
      { destination: destinations[0], requestStatus: 'SUCCESS', eventsIngestionStatus: { recordCount: '2' } },
      { destination: destinations[1], requestStatus: 'SUCCESS', eventsIngestionStatus: { recordCount: '3' } },
    ],
  });
});

it.each([
  ['partial', 'PARTIAL_SUCCESS', '2'],
  ['failed', 'FAILED', '3'],
])('google.statusOutcome = %s', async (outcome, requestStatus, recordCount) => {
  stage.switches.set('google.statusOutcome', outcome).set('google.statusProcessingPolls', 0).set('google.statusErrorReason', 'PROCESSING_ERROR_REASON_NO_CONSENT');
  expect((await status(stage, await sent())).json()).toMatchObject({
    requestStatusPerDestination: [
      {
        requestStatus,
        errorInfo: { errorCounts: [{ recordCount, reason: 'PROCESSING_ERROR_REASON_NO_CONSENT' }] },
        eventsIngestionStatus: { recordCount: '3' },
      },
    ],
  });
});

it.each([
  ['unknown', async () => 'nope'],
  ['missing', async () => undefined],
  ['validate-only', async () => sent({ validateOnly: true })],
])('refuses an %s id', async (_name, id) => {
  const reply = await status(stage, await id());
  expect(reply.statusCode).toBe(400);
  expect(found(reply.json<ErrorBody>())).toEqual(['request_id INVALID_REQUEST_ID']);
});

it('needs a token', async () => {
  expect((await status(stage, 'x', 'made-up')).statusCode).toBe(401);
});

it('has a read quota of its own', async () => {
  stage.switches.set('google.quotaPerMinute', 1);
  const requestId = await sent();
  const token = await aToken(stage);
  expect((await status(stage, requestId, token)).statusCode).toBe(200);
  const refused = await status(stage, requestId, token);
  expect(refused.statusCode).toBe(429);
  expect(refused.body).toContain('IngestionReadRequestsPerMinutePerProject');
});
