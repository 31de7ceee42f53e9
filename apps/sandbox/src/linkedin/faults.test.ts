import type { FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { linkedinFacts } from './facts.ts';
import { linkedinFaultReply } from './faults.ts';
import { anEvent, refreshForm } from './testkit.ts';

describe('fault bodies', () => {
  it.each([
    ['rate_limit', undefined, 429, 'MINUTE limit'],
    ['rate_limit', 'minute', 429, 'MINUTE limit'],
    ['rate_limit', 'day', 429, 'Resource level throttle APPLICATION_AND_MEMBER DAY limit for calls to this resource is reached'],
    ['unavailable', undefined, 500, 'Internal Server Error'],
    ['unavailable', '502', 502, '<html>'],
    ['unavailable', '503', 503, '<html>'],
    ['unavailable', '504', 504, '<html>'],
  ] as const)('%s %s', (kind, variant, status, text) => {
    const reply = linkedinFaultReply({ kind, variant, options: {} });
    expect(reply?.status).toBe(status);
    expect(JSON.stringify(reply?.body)).toContain(text);
  });

  it('sends Retry-After only when asked to', () => {
    expect(linkedinFaultReply({ kind: 'rate_limit', options: {} })?.headers).toBeUndefined();
    expect(linkedinFaultReply({ kind: 'rate_limit', options: { retryAfterSeconds: 7 } })?.headers).toEqual({ 'retry-after': '7' });
  });

  it('knows no other variants', () => {
    expect(linkedinFaultReply({ kind: 'rate_limit', variant: 'x', options: {} })).toBeUndefined();
    expect(linkedinFaultReply({ kind: 'unavailable', variant: 'x', options: {} })).toBeUndefined();
  });
});

describe('facts', () => {
  const facts = (body: unknown, authorization?: string, url = '/linkedin/rest/conversionEvents') =>
    linkedinFacts({ body, url, headers: { authorization } } as unknown as FastifyRequest);

  it('name token, rules and events of a batch and of a single event', () => {
    const expected = { token: 't', destinationIds: ['50001'], eventIds: ['evt-1'] };
    expect(facts(Buffer.from(JSON.stringify({ elements: [anEvent()] })), 'Bearer t')).toEqual(expected);
    expect(facts(Buffer.from(JSON.stringify(anEvent())), 'Bearer t')).toEqual(expected);
  });

  it('know the refresh token of a token request', () => {
    expect(facts(Buffer.from(refreshForm({ refresh_token: 'r' })))).toEqual({ token: 'r' });
  });

  it('name what the address of a management call names', () => {
    const key = '(campaign:urn%3Ali%3AsponsoredCampaign%3A7,conversion:urn%3Alla%3AllaPartnerConversion%3A5)';
    expect(facts(undefined, 'Bearer t', `/linkedin/rest/campaignConversions/${key}`)).toEqual({ token: 't', destinationIds: ['7', '5'] });
    expect(facts(undefined, undefined, '/linkedin/rest/conversions/5?account=urn%3Ali%3AsponsoredAccount%3A9').destinationIds).toEqual(['5', '9']);
  });

  it('survive anything', () => {
    expect(facts(undefined)).toEqual({ token: undefined });
    expect(facts(Buffer.from('{"elements":[1,null]}'))).toEqual({ token: undefined, destinationIds: [], eventIds: [] });
    expect(facts(Buffer.from('{"ele'))).toEqual({ token: undefined });
  });
});
