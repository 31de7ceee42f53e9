import { describe, expect, it } from 'vitest';
import { T0 } from '../testing/fake-accounts.ts';
import { aDeadLetter, fakeDeadLetters } from '../testing/fake-dead-letters.ts';
import { openApi } from '../testing/open-api.ts';

describe('GET /v1/dead-letters', () => {
  it('lists letters with the fields of the contract', async () => {
    await using api = await openApi();
    const { status, body } = await api.call('GET', '/v1/dead-letters');
    expect(status).toBe(200);
    expect(body['nextCursor']).toBeNull();
    const [first, second] = body['deadLetters'] as object[];
    expect(first).toEqual({
      id: 'dead_1', platform: 'metaads', accountId: 'acc_meta', destinationId: '123', deliveryId: 'dlv_1', reason: 'rejected', code: '100/2804003',
      message: 'The event time is in the future.', eventIds: ['order_1'], eventCount: 2, attempts: 1,
      firstAttemptAt: new Date(T0).toISOString(), lastAttemptAt: new Date(T0).toISOString(), replayable: true, replayedAt: null,
    });
    expect(second).toMatchObject({ id: 'dead_2', replayable: false, whyNot: 'The events are too old.' });
  });

  it('keeps to the accounts of the key, and to the filter', async () => {
    await using api = await openApi();
    const idsOf = async (url: string, as?: string) => ((await api.call('GET', url, as === undefined ? {} : { as })).body['deadLetters'] as { id: string }[]).map((letter) => letter.id);
    expect(await idsOf('/v1/dead-letters', 'shop')).toEqual(['dead_1']);
    expect(await idsOf('/v1/dead-letters?reason=expired')).toEqual(['dead_2']);
    expect(await idsOf('/v1/dead-letters?accountId=acc_other&platform=metaads&destinationId=123')).toEqual(['dead_2']);
    expect((await api.call('GET', '/v1/dead-letters?accountId=acc_other', { as: 'shop' })).status).toBe(403);
    expect((await api.call('GET', '/v1/dead-letters?reason=bored')).status).toBe(400);
    expect((await api.call('GET', '/v1/dead-letters?limit=1')).body['nextCursor']).toBe('1');
  });

  it('shows one, and answers alike for what is not there and not yours', async () => {
    await using api = await openApi();
    expect((await api.call('GET', '/v1/dead-letters/dead_1', { as: 'shop' })).body['id']).toBe('dead_1');
    const foreign = await api.call('GET', '/v1/dead-letters/dead_2', { as: 'shop' });
    expect(foreign.status).toBe(404);
    expect(foreign.body).toEqual((await api.call('GET', '/v1/dead-letters/nowhere', { as: 'shop' })).body);
  });
});

describe('POST /v1/dead-letters/{id}/replay', () => {
  it.each([[undefined], [''], [{}], [{ force: false }]])('replays with the body %j', async (body) => {
    await using api = await openApi();
    const reply = await api.call('POST', '/v1/dead-letters/dead_1/replay', body === undefined ? {} : { body });
    expect(reply.status).toBe(200);
    expect(reply.body).toEqual({ id: 'dead_1', replayed: true, events: 2, accountId: 'acc_meta' });
    expect(api.deadLetters.forced).toEqual([false]);
  });

  it('refuses with the reason, unless forced', async () => {
    await using api = await openApi();
    const refused = await api.call('POST', '/v1/dead-letters/dead_2/replay');
    expect(refused).toMatchObject({ status: 422, body: { code: 'not_replayable', type: 'invalid_request_error', error: 'The events are too old.' } });
    expect((await api.call('POST', '/v1/dead-letters/dead_2/replay', { body: { force: true } })).status).toBe(200);
  });

  it('needs the right to, a known letter and known fields', async () => {
    await using api = await openApi();
    expect((await api.call('POST', '/v1/dead-letters/dead_1/replay', { as: 'reader' })).status).toBe(403);
    expect((await api.call('POST', '/v1/dead-letters/dead_2/replay', { as: 'shop' })).status).toBe(404);
    expect((await api.call('POST', '/v1/dead-letters/nowhere/replay')).body['code']).toBe('dead_letter_not_found');
    expect((await api.call('POST', '/v1/dead-letters/dead_1/replay', { body: { forced: true } })).body).toMatchObject({ code: 'invalid_request', param: 'forced', error: 'forced is not a known field.' });
  });
});

describe('POST /v1/dead-letters/replay', () => {
  it('replays by filter in pages, and leaves out what was replayed before', async () => {
    const letters = Array.from({ length: 250 }, (_, at) => aDeadLetter({ id: `dead_${at}`, replayable: at % 10 !== 0, whyNot: at % 10 === 0 ? 'Too old.' : undefined, replayedAtMs: at >= 240 ? T0 : undefined }));
    await using api = await openApi({ deadLetters: fakeDeadLetters(letters) });
    const { status, body } = await api.call('POST', '/v1/dead-letters/replay', { body: { platform: 'metaads', reason: 'rejected' } });
    expect(status).toBe(200);
    expect(body).toMatchObject({ replayed: 216, refused: 24, events: 432, more: false });
    expect(body['results']).toHaveLength(240);
    expect((body['results'] as object[])[0]).toEqual({ id: 'dead_0', result: 'refused', why: 'Too old.' });
  });

  it('replays by ids, within the key, the filter and what exists', async () => {
    await using api = await openApi();
    const { body } = await api.call('POST', '/v1/dead-letters/replay', { body: { ids: ['dead_1', 'dead_1', 'dead_2', 'nowhere'] }, as: 'shop' });
    expect(body).toMatchObject({ replayed: 1, refused: 2, events: 2 });
    const none = await api.call('POST', '/v1/dead-letters/replay', { body: { ids: ['dead_2'], reason: 'rejected', force: true } });
    expect(none.body).toMatchObject({ replayed: 0, refused: 1 });
  });

  it('replays all without a filter, and says no to strange ones', async () => {
    await using api = await openApi();
    expect((await api.call('POST', '/v1/dead-letters/replay', { body: { force: true } })).body).toMatchObject({ replayed: 2, refused: 0, events: 4 });
    expect((await api.call('POST', '/v1/dead-letters/replay', { body: { account: 'x' } })).status).toBe(400);
    expect((await api.call('POST', '/v1/dead-letters/replay', { body: { ids: [] } })).status).toBe(400);
    expect((await api.call('POST', '/v1/dead-letters/replay', { body: { accountId: 'acc_other' }, as: 'shop' })).status).toBe(403);
    expect((await api.call('POST', '/v1/dead-letters/replay')).status).toBe(400);
  });

  it('stops at its time limit and says that there is more', async () => {
    const letters = Array.from({ length: 150 }, (_, at) => aDeadLetter({ id: `dead_${at}` }));
    let now = T0;
    await using api = await openApi({ deadLetters: fakeDeadLetters(letters), now: () => (now += 40_000) });
    expect((await api.call('POST', '/v1/dead-letters/replay', { body: {} })).body).toMatchObject({ replayed: 100, more: true, nextCursor: '100' });
  });

  it('gets past more refused letters than one request looks at', async () => {
    const letters = Array.from({ length: 10_250 }, (_, at) => aDeadLetter({ id: `dead_${at}`, replayable: at >= 10_200, whyNot: at < 10_200 ? 'Too old.' : undefined }));
    await using api = await openApi({ deadLetters: fakeDeadLetters(letters) });
    const first = (await api.call('POST', '/v1/dead-letters/replay', { body: {} })).body;
    expect(first).toMatchObject({ replayed: 0, refused: 10_000, more: true, nextCursor: '10000' });
    const second = (await api.call('POST', '/v1/dead-letters/replay', { body: { cursor: first['nextCursor'] } })).body;
    expect(second).toMatchObject({ replayed: 50, refused: 200, more: false, nextCursor: null });
  });

  it('looks at the time also where no letter fits', async () => {
    let pages = 0;
    let now = T0;
    const list = async () => ({ rows: [], nextCursor: `c${(pages += 1)}` });
    await using api = await openApi({ deadLetters: { ...fakeDeadLetters([]), list }, now: () => (now += 10_000) });
    expect((await api.call('POST', '/v1/dead-letters/replay', { body: {} })).body).toMatchObject({ replayed: 0, more: true, nextCursor: expect.stringMatching(/^c\d$/) });
  });
});

describe('DELETE /v1/dead-letters/{id}', () => {
  it('discards once', async () => {
    await using api = await openApi();
    const gone = await api.call('DELETE', '/v1/dead-letters/dead_1');
    expect(gone).toMatchObject({ status: 204, text: '' });
    expect((await api.call('DELETE', '/v1/dead-letters/dead_1')).status).toBe(404);
    expect((await api.call('DELETE', '/v1/dead-letters/dead_2', { as: 'shop' })).status).toBe(404);
    expect((await api.call('DELETE', '/v1/dead-letters/dead_2', { as: 'reader' })).status).toBe(403);
    expect((await api.call('DELETE', '/v1/dead-letters/dead_2', { headers: { 'content-type': 'application/json' } })).status).toBe(204);
  });
});
