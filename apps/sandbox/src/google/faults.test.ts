import type { FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { googleFacts } from './facts.ts';
import { googleFaultReply } from './faults.ts';
import { aRequest, refreshForm } from './testkit.ts';

describe('fault bodies', () => {
  it.each([
    ['rate_limit', undefined, 429, 'IngestionMutateRequestsPerMinutePerProject'],
    ['rate_limit', 'per_minute', 429, 'IngestionMutateRequestsPerMinutePerProject'],
    ['rate_limit', 'per_day', 429, 'IngestionMutateRequestsPerDayPerProject'],
    ['rate_limit', 'read_per_day', 429, 'IngestionReadRequestsPerDayPerProject'],
    ['unavailable', undefined, 503, 'The service is currently unavailable.'],
    ['unavailable', 'aborted', 409, 'The operation was aborted.'],
    ['unavailable', '500', 500, 'INTERNAL'],
    ['unavailable', '502', 502, '<!DOCTYPE html>'],
    ['unavailable', '504', 504, 'DEADLINE_EXCEEDED'],
  ] as const)('%s %s', (kind, variant, status, text) => {
    const reply = googleFaultReply({ kind, variant, options: {} });
    expect(reply?.status).toBe(status);
    expect(JSON.stringify(reply?.body)).toContain(text);
  });

  it('sends Retry-After only when asked to', () => {
    expect(googleFaultReply({ kind: 'rate_limit', options: {} })?.headers).toBeUndefined();
    expect(googleFaultReply({ kind: 'rate_limit', options: { retryAfterSeconds: 7 } })?.headers).toEqual({ 'retry-after': '7' });
  });

  it('knows no other variants', () => {
    expect(googleFaultReply({ kind: 'rate_limit', variant: 'x', options: {} })).toBeUndefined();
    expect(googleFaultReply({ kind: 'unavailable', variant: 'x', options: {} })).toBeUndefined();
  });
});

describe('facts', () => {
  const facts = (body: unknown, authorization?: string) => googleFacts({ body, headers: { authorization } } as unknown as FastifyRequest);

  it('name token, destinations and events', () => {
    expect(facts(Buffer.from(JSON.stringify(aRequest())), 'Bearer t')).toEqual({
      token: 't',
      destinationIds: ['customers/1234567890/conversionActions/111'],
      eventIds: ['evt-1'],
    });
  });

  it('know the refresh token of a token request', () => {
    expect(facts(Buffer.from(refreshForm({ refresh_token: 'r' })))).toEqual({ token: 'r' });
  });

  it('survive anything', () => {
    expect(facts(undefined)).toEqual({ token: undefined });
    expect(facts(Buffer.from('{"events":[1,null],"destinations":7}'))).toMatchObject({ eventIds: [] });
    expect(facts(Buffer.from('{"eve'))).toEqual({ token: undefined });
  });
});
