import type { AddressInfo } from 'node:net';
import { Zernio, ZernioApiError } from '@zernio/node';
import { describe, expect, it } from 'vitest';
import { anEvent, openApi } from './testing/open-api.ts';

/** The public client, pointed at the API over fakes. */
async function openWithClient(apiKey = 'rk_root') {
  const api = await openApi();
  await api.app.listen({ port: 0, host: '127.0.0.1' });
  const baseURL = `http://127.0.0.1:${(api.app.server.address() as AddressInfo).port}`;
  return { ...api, zernio: new Zernio({ apiKey, baseURL }), viaApi: new Zernio({ apiKey, baseURL: `${baseURL}/api` }) };
}

const body = { accountId: 'acc_meta', destinationId: '123', events: [anEvent({ user: {} }) as never] };

async function faultOf(call: Promise<unknown>): Promise<ZernioApiError> {
  const fault = await call.then(() => undefined, (error: unknown) => error);
  if (fault instanceof ZernioApiError) return fault;
  throw new Error('no ZernioApiError');
}

describe('the public client @zernio/node', () => {
  it('sends conversions under both mounts', async () => {
    await using api = await openWithClient();
    for (const client of [api.zernio, api.viaApi]) {
      const { data } = await client.conversions.sendConversions({ body });
      expect(data).toMatchObject({ platform: 'metaads', eventsReceived: 1, eventsFailed: 0, failures: [], traceId: 'trace_1' });
    }
  });

  it('reads every field of a refusal', async () => {
    await using api = await openWithClient();
    const fault = await faultOf(api.zernio.conversions.sendConversions({ body: { ...body, events: [{ eventName: 'Lead' } as never] } }));
    expect(fault).toMatchObject({ statusCode: 400, code: 'invalid_request', type: 'invalid_request_error', param: 'events[0].eventTime' });
    expect(fault.message).toContain('events[0].eventTime is required');
    expect(fault.details).toHaveLength(3);
  });

  it('reads 401, 403, 404 and 405', async () => {
    await using stranger = await openWithClient('rk_nobody');
    expect(await faultOf(stranger.zernio.conversions.sendConversions({ body }))).toMatchObject({ statusCode: 401, message: 'Unauthorized' });
    await using bound = await openWithClient('rk_shop');
    expect(await faultOf(bound.zernio.conversions.sendConversions({ body: { ...body, accountId: 'acc_other' } }))).toMatchObject({ statusCode: 403, type: 'permission_error' });
    await using api = await openWithClient();
    expect(await faultOf(api.zernio.conversions.sendConversions({ body: { ...body, accountId: 'acc_nowhere' } }))).toMatchObject({ statusCode: 404, type: 'not_found' });
    expect(await faultOf(api.zernio.conversions.sendConversions({ body: { ...body, accountId: 'acc_wa' } }))).toMatchObject({ statusCode: 405, platform: 'whatsapp' });
  });
});
