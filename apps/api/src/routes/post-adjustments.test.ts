import { describe, expect, it } from 'vitest';
import { T0 } from '../testing/fake-accounts.ts';
import { openApi } from '../testing/open-api.ts';

const ACTION = 'customers/1234567890/conversionActions/111';
const NOW_S = T0 / 1000;
const aBody = (...adjustments: object[]) => ({ accountId: 'acc_google', destinationId: ACTION, adjustments });
const retraction = (over: object = {}) => ({ adjustmentType: 'RETRACTION', adjustmentTime: NOW_S - 60, orderId: 'order-1', ...over });

describe('POST /v1/ads/conversions/adjustments', () => {
  it('queues adjustments and answers in their words', async () => {
    await using api = await openApi();
    const { status, body } = await api.call('POST', '/v1/ads/conversions/adjustments', { body: aBody(retraction()), headers: { prefer: 'respond-async' } });
    expect(status).toBe(202);
    expect(body).toMatchObject({ platform: 'googleads', adjustmentsReceived: 0, adjustmentsFailed: 0, failures: [], status: 'queued' });
    expect(body).not.toHaveProperty('eventsReceived');
  });

  it('names what it refuses at once by adjustmentIndex', async () => {
    await using api = await openApi();
    const bad = [retraction({ orderId: undefined }), { ...retraction(), adjustmentType: 'ENHANCEMENT' }, { ...retraction(), adjustmentType: 'RESTATEMENT' }];
    const { status, body } = await api.call('POST', '/v1/ads/conversions/adjustments', { body: aBody(...bad) });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'failed',
      adjustmentsFailed: 3,
      failures: [
        { adjustmentIndex: 0, code: 'field_invalid' },
        { adjustmentIndex: 1, code: 'no_match_keys' },
        { adjustmentIndex: 2, code: 'value_missing' },
      ],
    });
  });

  it('refuses what is there twice', async () => {
    await using api = await openApi();
    const { body } = await api.call('POST', '/v1/ads/conversions/adjustments', { body: aBody(retraction(), retraction({ orderId: 'order-2' }), retraction()), headers: { prefer: 'respond-async' } });
    expect(body).toMatchObject({ adjustmentsFailed: 1, failures: [{ adjustmentIndex: 2, code: 'duplicate_adjustment', message: expect.stringContaining('adjustments[0]') }] });
  });

  it.each([
    [{ ...aBody(retraction()), accountId: 'acc_meta' }, 405, 'wrong_platform'],
    [{ ...aBody(retraction()), destinationId: '111' }, 400, 'invalid_destination'],
    [aBody(), 400, 'invalid_request'],
    [aBody(...Array.from({ length: 2001 }, () => retraction())), 400, 'invalid_request'],
    [aBody(retraction({ adjustmentType: 'REFUND' })), 400, 'invalid_request'],
    [aBody(retraction({ adjustmentTime: T0 })), 400, 'invalid_request'],
    [{ ...aBody(retraction()), accountId: 'nobody' }, 404, 'account_not_found'],
  ])('refuses %#', async (body, status, code) => {
    await using api = await openApi();
    const reply = await api.call('POST', '/v1/ads/conversions/adjustments', { body });
    expect(reply.status).toBe(status);
    expect(reply.body['code']).toBe(code);
  });
});
