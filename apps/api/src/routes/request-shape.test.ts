import { describe, expect, it } from 'vitest';
import { aRequest, anEvent, openApi } from '../testing/open-api.ts';

const SEND = '/v1/ads/conversions';

/** One call that is refused; the whole answer. */
async function refusalOf(body: unknown, headers: Record<string, string> = {}) {
  await using api = await openApi();
  return api.call('POST', SEND, { body, headers });
}

describe('what is malformed in shape', () => {
  it('is a 400 that names every bad path and no value', async () => {
    const body = aRequest({ events: [anEvent(), anEvent({ eventTime: 'planted', user: { email: 7 } }), {}], consent: { adUserData: 'planted' } });
    const reply = await refusalOf(body);
    expect(reply.status).toBe(400);
    expect(reply.body).toMatchObject({ type: 'invalid_request_error', code: 'invalid_request', param: 'events[1].eventTime' });
    expect(reply.body['error']).toMatch(/^events\[1\]\.eventTime must be a number\. 6 more fields/);
    expect((reply.body['details'] as { path: string }[]).map((fault) => fault.path)).toEqual([
      'events[1].eventTime', 'events[1].user.email', 'events[2].eventName', 'events[2].eventTime', 'events[2].eventId', 'events[2].user', 'consent.adUserData',
    ]);
    expect(reply.text).not.toContain('planted');
  });

  it('lists 100 paths and says how many more there are', async () => {
    const { body } = await refusalOf(aRequest({ events: Array.from({ length: 150 }, () => anEvent({ eventId: '' })) }));
    expect(body['details']).toHaveLength(100);
    expect(body['error']).toMatch(/149 more fields are wrong; details list the first 100, 50 are not listed/);
  });

  it.each([
    [{ events: [] }, 'events', 'needs at least one event'],
    [{ accountId: undefined }, 'accountId', 'is required'],
    [{ events: [anEvent({ eventTime: 1_795_000_000_000 })] }, 'events[0].eventTime', 'milliseconds'],
    [{ events: [anEvent({ value: null })] }, 'events[0].value', 'must be a number, not null'],
    [{ events: [anEvent({ actionSource: 'shop' })] }, 'events[0].actionSource', 'one of "web", "app"'],
    [{ events: [anEvent({ eventName: 'x'.repeat(513) })] }, 'events[0].eventName', 'at most 512 characters'],
    [{ events: 'none' }, 'events', 'must be a list'],
  ])('says how to mend %j', async (over, param, words) => {
    const { status, body } = await refusalOf(aRequest(over));
    expect(status).toBe(400);
    expect(body['param']).toBe(param);
    expect(body['error']).toContain(words);
  });

  it('is a body that is no object', async () => {
    const { body } = await refusalOf('[1]');
    expect(body).toMatchObject({ code: 'invalid_request', error: 'The request body must be an object.' });
    expect(body).not.toHaveProperty('param');
  });
});

describe('what is no JSON', () => {
  it.each([
    ['{"accountId":"a",}', /comma too many \(position 17, line 1, column 18\)/],
    ['{"accountId":\n  tru}', /line 2, column 3/],
    ['{"value":NaN}', /NaN, Infinity or undefined.*position 9/],
    ['{"value":-Infinity}', /position 9/],
    ['{"a":1} x', /more text after/],
    ['{"a":"planted', /not closed.*position 5/],
    ['{"a":[1,2', /ends before/],
    ["{'a':1}", /double quotes/],
  ])('%s is a 400 with the position and without the text', async (text, words) => {
    const reply = await refusalOf(text);
    expect(reply.status).toBe(400);
    expect(reply.body).toMatchObject({ type: 'invalid_request_error', code: 'invalid_json' });
    expect(reply.body['error']).toMatch(words);
    expect(reply.text).not.toContain('planted');
  });

  it('is an empty body, with and without a content type', async () => {
    await using api = await openApi();
    expect((await api.call('POST', SEND, { body: '' })).body).toMatchObject({ code: 'invalid_json', error: expect.stringContaining('empty') as string });
    const bare = await api.call('POST', SEND);
    expect(bare.status).toBe(400);
    expect(bare.body['error']).toContain('The request body is empty');
  });

  it('is a body that is not UTF-8', async () => {
    expect((await refusalOf(Buffer.from([0x7b, 0xff, 0x7d]))).body).toMatchObject({ code: 'invalid_json', error: expect.stringContaining('UTF-8') as string });
  });

  it.each([
    ['{"events":[{"__proto__":{"x":1}}]}', 'events[0].__proto__'],
    ['{"events":[{"\\u005f_proto__":{"x":1}}]}', 'events[0].__proto__'],
    ['{"constructor":{"prototype":{}}}', 'constructor'],
  ])('%s is refused by the name of the key', async (text, param) => {
    const { status, body } = await refusalOf(text);
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'invalid_json', param });
    expect(body['error']).toContain(param);
  });

  it('is a body nested too deep', async () => {
    expect((await refusalOf('['.repeat(100_000) + ']'.repeat(100_000))).body).toMatchObject({ code: 'invalid_json', error: expect.stringContaining('nested deeper') as string });
  });
});

describe('values that JSON can say and a platform cannot take', () => {
  it('are named together with the faults of the schema', async () => {
    const text = JSON.stringify(aRequest({ events: [anEvent({ value: 'V', platformData: { deep: ['N'], text: 'L' } }), {}] }))
      .replace('"V"', '1e999').replace('"N"', '-1e999').replace('"L"', '"\\ud800"');
    const { status, body } = await refusalOf(text);
    expect(status).toBe(400);
    const paths = (body['details'] as { path: string }[]).map((fault) => fault.path);
    expect(paths).toEqual(expect.arrayContaining(['events[0].value', 'events[0].platformData.deep[0]', 'events[0].platformData.text', 'events[1].eventName']));
    expect(body['param']).toBe('events[0].value');
  });

  it('may hold duplicate keys, a BOM and unknown fields', async () => {
    const text = `\uFEFF${JSON.stringify(aRequest({ newerField: 1 })).replace('{', '{"accountId":"x",')}`;
    expect((await refusalOf(text)).status).toBe(200);
  });
});

describe('how a body is sent', () => {
  it('refuses other media types, charsets and compression with 415', async () => {
    await using api = await openApi();
    for (const headers of [{ 'content-type': 'text/plain' }, { 'content-type': 'application/json; charset=latin1' }, { 'content-type': 'application/json', 'content-encoding': 'gzip' }]) {
      const reply = await api.call('POST', SEND, { body: aRequest(), headers });
      expect(reply.status).toBe(415);
      expect(reply.body).toMatchObject({ type: 'invalid_request_error', code: 'unsupported_media_type' });
    }
    expect((await api.call('POST', SEND, { body: aRequest(), headers: { 'content-type': 'application/json; charset="UTF-8"' } })).status).toBe(200);
  });

  it('refuses what is too large with 413 and tells the limit', async () => {
    await using api = await openApi({ config: { bodyLimitBytes: 2048 } });
    const { status, body } = await api.call('POST', SEND, { body: 'x'.repeat(4096) });
    expect(status).toBe(413);
    expect(body).toMatchObject({ type: 'invalid_request_error', code: 'body_too_large', details: { limitBytes: 2048 } });
    expect(body['error']).toContain('2048');
  });
});
