import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseWebhook, type WebhookMessage } from './webhook.ts';

type Json = Record<string, unknown>;

const REFERRAL = {
  source_url: 'https://fb.me/3cr4Wqqkv',
  source_id: '120226305854810726',
  source_type: 'ad',
  headline: 'Chat with us',
  body: 'Summer succulents are here!',
  media_type: 'image',
  image_url: 'https://scontent.xx.fbcdn.net/v/t45.1',
  ctwa_clid: 'Aff-n8ZTODiE79d22KtAwQKj9e_mIEOOj27vDVwFjN80dp4',
  welcome_message: { text: 'Hi there!' },
};

function aMessage(some: Json = {}): Json {
  return { from: '16505551234', id: 'wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQQ==', timestamp: '1749416383', type: 'text', text: { body: 'SECRET BODY' }, referral: REFERRAL, ...some };
}

function aValue(some: Json = {}): Json {
  return {
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: '15550783881', phone_number_id: '106540352242922' },
    contacts: [{ profile: { name: 'SECRET NAME' }, wa_id: '16505551234' }],
    messages: [aMessage()],
    ...some,
  };
}

const delivery = (...values: Json[]) => ({ object: 'whatsapp_business_account', entry: values.map((value, at) => ({ id: `10229012999${at}`, changes: [{ field: 'messages', value }] })) });

describe('an inbound message', () => {
  it('gives its number, sender, time and click; never text or name', () => {
    const messages = parseWebhook(delivery(aValue()));
    expect(messages).toEqual<WebhookMessage[]>([
      {
        wabaId: '102290129990',
        phoneNumberId: '106540352242922',
        wamid: 'wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQQ==',
        from: '16505551234',
        waId: '16505551234',
        userId: undefined,
        timestampS: 1749416383,
        referral: { ctwaClid: REFERRAL.ctwa_clid, sourceId: '120226305854810726', sourceUrl: 'https://fb.me/3cr4Wqqkv', sourceType: 'ad', headline: 'Chat with us' },
      },
    ]);
    expect(JSON.stringify(messages)).not.toMatch(/SECRET|succulents|Hi there|scontent/);
  });

  it('has no referral where nobody tapped an ad', () => {
    expect(parseWebhook(delivery(aValue({ messages: [aMessage({ referral: undefined }), aMessage({ referral: null }), aMessage({ referral: {} })] }))).map(({ referral }) => referral)).toEqual([undefined, undefined, undefined]);
  });

  it('keeps a referral without a click id (Status ads) for what else it says', () => {
    const { ctwa_clid: _clid, ...status } = REFERRAL;
    expect(parseWebhook(delivery(aValue({ messages: [aMessage({ referral: status })] })))[0]?.referral).toEqual({
      ctwaClid: undefined,
      sourceId: '120226305854810726',
      sourceUrl: 'https://fb.me/3cr4Wqqkv',
      sourceType: 'ad',
      headline: 'Chat with us',
    });
  });

  it.each<[string, Json]>([
    ['an image', { type: 'image', image: { id: '1' } }],
    ['a button', { type: 'interactive', interactive: {} }],
    ['unsupported', { type: 'unsupported', errors: [{ code: 131051 }] }],
    ['of an older shape', { referral: { ...REFERRAL, image: { id: '5' } } }],
    ['of a newer shape', { from_user_id: 'IN.1410', from_logical_id: 'x', what: { comes: 'next' } }],
  ])('may be %s', (_title, some) => {
    expect(parseWebhook(delivery(aValue({ messages: [aMessage(some)] })))[0]?.referral?.ctwaClid).toBe(REFERRAL.ctwa_clid);
  });

  it('may come without a phone number, from someone with a username', () => {
    const [message] = parseWebhook(delivery(aValue({ contacts: [{ profile: { name: 'x', username: 'y' }, user_id: 'US.13491208655302741918' }], messages: [aMessage({ from: undefined })] })));
    expect(message).toMatchObject({ from: undefined, waId: undefined, userId: 'US.13491208655302741918' });
    expect(message?.referral?.ctwaClid).toBe(REFERRAL.ctwa_clid);
    expect(parseWebhook(delivery(aValue({ contacts: undefined, messages: [aMessage({ from: undefined, from_user_id: 'IN.1410' })] })))[0]).toMatchObject({ userId: 'IN.1410' });
  });

  it.each([
    ['+1 (650) 555-1234', '16505551234'],
    [16505551234, '16505551234'],
    ['call me', undefined],
    ['12ab34567', undefined],
    ['', undefined],
    ['1', undefined],
    ['9'.repeat(25), undefined],
    [{}, undefined],
  ])('reads the number %j as %j', (from, digits) => {
    expect(parseWebhook(delivery(aValue({ contacts: [], messages: [aMessage({ from })] })))[0]?.from).toBe(digits);
  });

  it('takes the wa_id that differs from the number', () => {
    expect(parseWebhook(delivery(aValue({ contacts: [{ wa_id: '5215512345678' }], messages: [aMessage({ from: '525512345678' })] })))[0]).toMatchObject({ from: '525512345678', waId: '5215512345678' });
  });

  it('takes the only contact for its own only where nobody else writes', () => {
    const contacts = [{ wa_id: '5215512345678', user_id: 'MX.1' }];
    const read = (...messages: Json[]) => parseWebhook(delivery(aValue({ contacts, messages }))).map(({ waId, userId }) => [waId, userId]);
    expect(read(aMessage({ from: '525512345678' }), aMessage({ from: '525512345678' }))).toEqual([['5215512345678', 'MX.1'], ['5215512345678', 'MX.1']]);
    expect(read(aMessage({ from: '525512345678' }), aMessage({ from: '491511111111' }))).toEqual([[undefined, undefined], [undefined, undefined]]);
    expect(read(aMessage({ from: '5215512345678' }), aMessage({ from: '491511111111' }))).toEqual([['5215512345678', 'MX.1'], [undefined, undefined]]);
    expect(read(aMessage({ from: '5215512345678' }), aMessage({ from: undefined, from_user_id: 'DE.2' }))).toEqual([['5215512345678', 'MX.1'], [undefined, 'DE.2']]);
  });

  it('finds its contact among several, and guesses none', () => {
    const contacts = [{ wa_id: '491511111111' }, { wa_id: '491522222222', user_id: 'DE.2' }, { user_id: 'DE.3', wa_id: '491533333333' }];
    const messages = [aMessage({ from: '491522222222' }), aMessage({ from: '49-other', from_user_id: 'DE.3' }), aMessage({ from: '491599999999' })];
    expect(parseWebhook(delivery(aValue({ contacts, messages }))).map(({ waId, userId }) => [waId, userId])).toEqual([
      ['491522222222', 'DE.2'],
      ['491533333333', 'DE.3'],
      [undefined, undefined],
    ]);
  });

  it.each([
    ['1749416383', 1749416383],
    [1749416383, 1749416383],
    ['soon', undefined],
    ['1749416383.5', undefined],
    [-1, undefined],
    [1749416383000, undefined],
    [null, undefined],
  ])('reads the time %j as %j', (timestamp, seconds) => {
    expect(parseWebhook(delivery(aValue({ messages: [aMessage({ timestamp })] })))[0]?.timestampS).toBe(seconds);
  });

  it('bounds texts and keeps them well-formed', () => {
    const referral = { ctwa_clid: 'x'.repeat(3000), source_id: 17, source_url: `https://fb.me/${'x'.repeat(9000)}`, headline: `${'é'.repeat(1023)}🎯`, source_type: 'post' };
    expect(parseWebhook(delivery(aValue({ messages: [aMessage({ referral })] })))[0]?.referral).toEqual({
      ctwaClid: undefined,
      sourceId: '17',
      sourceUrl: undefined,
      sourceType: 'post',
      headline: `${'é'.repeat(1023)}\uFFFD`,
    });
  });
});

describe('a delivery', () => {
  it('may carry several entries, changes and messages, in order', () => {
    const body = {
      object: 'whatsapp_business_account',
      entry: [
        { id: '1', changes: [{ field: 'messages', value: aValue({ messages: [aMessage({ id: 'a' }), aMessage({ id: 'b' })] }) }, { field: 'messages', value: aValue({ metadata: { phone_number_id: '22' }, messages: [aMessage({ id: 'c' })] }) }] },
        { id: '2', changes: [{ field: 'account_update', value: { event: 'x' } }, { field: 'messages', value: aValue({ messages: [aMessage({ id: 'd' })] }) }] },
      ],
    };
    expect(parseWebhook(body).map(({ wabaId, phoneNumberId, wamid }) => [wabaId, phoneNumberId, wamid])).toEqual([
      ['1', '106540352242922', 'a'],
      ['1', '106540352242922', 'b'],
      ['1', '22', 'c'],
      ['2', '106540352242922', 'd'],
    ]);
  });

  it.each<[string, unknown]>([
    ['statuses', delivery(aValue({ messages: undefined, statuses: [{ id: 'wamid.x', status: 'read', recipient_id: '16505551234' }] }))],
    ['no entries', { object: 'whatsapp_business_account', entry: [] }],
    ['a template update', { object: 'whatsapp_business_account', entry: [{ id: '1', changes: [{ field: 'message_template_status_update', value: aValue() }] }] }],
    ['what the business itself wrote', { object: 'whatsapp_business_account', entry: [{ id: '1', changes: [{ field: 'smb_message_echoes', value: { message_echoes: [aMessage()] } }] }] }],
    ['a message without id', delivery(aValue({ messages: [aMessage({ id: undefined })] }))],
    ['another product', { ...delivery(aValue()), object: 'page' }],
    ['nothing', undefined],
    ['null', null],
    ['text', 'whatsapp_business_account'],
    ['a list', [delivery(aValue())]],
  ])('of %s holds no messages', (_title, body) => {
    expect(parseWebhook(body)).toEqual([]);
  });

  it('still knows the number where the account is missing, and the other way round', () => {
    const value = aValue();
    expect(parseWebhook({ object: 'whatsapp_business_account', entry: [{ changes: [{ field: 'messages', value }] }] })[0]).toMatchObject({ wabaId: undefined, phoneNumberId: '106540352242922' });
    expect(parseWebhook(delivery(aValue({ metadata: null })))[0]).toMatchObject({ wabaId: '102290129990', phoneNumberId: undefined });
  });

  it('is read whatever is in it', () => {
    const odd = fc.oneof(fc.jsonValue(), fc.constantFrom(undefined, null, '', 0, [], {}));
    const message = fc.record({ id: odd, from: odd, timestamp: odd, from_user_id: odd, referral: fc.oneof(odd, fc.record({ ctwa_clid: odd, source_id: odd, headline: odd })) });
    const value = fc.record({ metadata: odd, contacts: fc.oneof(odd, fc.array(fc.oneof(odd, fc.record({ wa_id: odd, user_id: odd })))), messages: fc.oneof(odd, fc.array(fc.oneof(odd, message))) });
    const change = fc.oneof(odd, fc.record({ field: fc.constant('messages'), value: fc.oneof(odd, value) }));
    const entry = fc.oneof(odd, fc.record({ id: odd, changes: fc.oneof(odd, fc.array(change)) }));
    const property = fc.property(fc.oneof(odd, fc.record({ object: fc.constant('whatsapp_business_account'), entry: fc.oneof(odd, fc.array(entry)) })), (body) => {
      for (const { wamid, from } of parseWebhook(body)) {
        expect(wamid).not.toBe('');
        expect(from ?? '').toMatch(/^\d*$/);
      }
    });
    expect(() => fc.assert(property, { numRuns: 500 })).not.toThrow();
  });
});
