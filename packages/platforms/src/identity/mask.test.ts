import { describe, expect, it } from 'vitest';
import { maskPersonal, maskedText } from './mask.ts';

const HASH = '62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f';

describe('maskPersonal', () => {
  it.each([
    ['un-hashed em: jo@example.com.', 'un-hashed em: ***'],
    ['"Jo.Smith+x@Example.COM" is bad', '"***" is bad'],
    ['jörg@münchen.de, a@b', '***, ***'],
    ['?em=jo%40example.com&x', '?em=***'],
    [`got ${HASH} here`, 'got *** here'],
    [`got ${HASH.toUpperCase()}`, 'got ***'],
    [`cut ${HASH.slice(0, 40)}`, 'cut ***'],
    ['Malformed access token EAABsbCS1iHgBAKZC5', 'Malformed access token ***'],
    ['token ya29.a0AfH6SMBx_abc-def', 'token ***'],
    ['phone +49 (151) 234-56789 refused', 'phone *** refused'],
    ['ip 203.0.113.7!', 'ip ***!'],
  ])('%s', (text, masked) => {
    expect(maskPersonal(text)).toBe(masked);
  });

  it.each([
    'Invalid parameter',
    "The parameter $['data'][0]['user_data'] is required",
    'Object with ID 1234567890123456 does not exist',
    'urn:lla:llaPartnerConversion:104012, customers/123/conversionActions/456',
    'mail me @ home',
    '@',
    '',
  ])('leaves %j alone', (text) => {
    expect(maskPersonal(text)).toBe(text);
  });

  it('takes linear time on hostile text', () => {
    expect(maskPersonal('a'.repeat(1_000_000))).toHaveLength(1_000_000 - (1_000_000 - 3));
    expect(maskPersonal('z'.repeat(1_000_000))).toHaveLength(1_000_000);
    expect(maskPersonal('@'.repeat(200_000)).length).toBeLessThan(200_001);
  });
});

describe('maskedText', () => {
  it('masks before it cuts, so that no half address is left', () => {
    expect(maskedText(`${'x '.repeat(249)}jo@example.com`)).not.toContain('jo');
  });
  it('is at most as long as asked', () => {
    expect(maskedText('y '.repeat(4000))).toHaveLength(500);
    expect(maskedText('short', 100)).toBe('short');
  });
});
