import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  Consent,
  ConversionEvent,
  EventsRequest,
  ItemContext,
  OutboundRequest,
  PlatformDefinition,
  PlatformEndpoints,
} from '@relay/contract';
import { BROKEN_BODIES, BROKEN_HEADERS, STATUSES, anArbitraryEvent, cutsOf } from './conformance-cases.test-kit.ts';
import { deepFreeze, itemFlaws, stringsIn, verdictFlaws } from './conformance-checks.test-kit.ts';

/** Addresses under `.test` (RFC 6761), so that a mistake can never reach a platform. */
export const TEST_ENDPOINTS: PlatformEndpoints = {
  metaGraphUrl: 'https://graph.meta.test',
  metaGraphVersion: 'v25.0',
  metaAppSecret: undefined,
  googleDataManagerUrl: 'https://datamanager.google.test',
  googleAdsUrl: 'https://googleads.google.test',
  googleOauthUrl: 'https://oauth2.google.test/token',
  linkedinApiUrl: 'https://api.linkedin.test',
  linkedinOauthUrl: 'https://www.linkedin.test/oauth/v2/accessToken',
  linkedinVersion: '202511',
};

export interface Conformance<Credentials> {
  readonly credentials: Credentials;
  /** A valid destination id, canonical. */
  readonly destinationId: string;
  /** An event that the platform takes, a second before "now". */
  readonly sendable: ConversionEvent;
  /** Bodies the platform is known to answer with; they are also cut off at many places. */
  readonly bodies?: readonly string[];
}

const PLANTED = 'planted.person';
const TOKEN = 'conformance-token';

/** What every platform owes the worker, whatever it speaks. Registers test cases; call it at the top of a test file. */
export function platformConformance<Credentials>(definition: PlatformDefinition<Credentials>, given: Conformance<Credentials>): void {
  const context: ItemContext = {
    nowMs: given.sendable.eventTime * 1000 + 1000,
    destinationId: given.destinationId,
    consent: undefined,
  };
  const itemOf = (event: ConversionEvent): string => {
    const result = definition.toItem(event, context);
    if (result.kind !== 'item') throw new Error(`refused: ${result.code}: ${result.message}`);
    return result.wire;
  };

  describe(`${definition.id} keeps the adapter contract`, () => {
    it('reads its own credentials and destination back unchanged', () => {
      expect(definition.credentials.parse(given.credentials)).toEqual(given.credentials);
      expect(definition.checkGrant(given.credentials)).toBeUndefined();
      expect(definition.parseDestination(given.destinationId)).toEqual({ ok: true, destinationId: given.destinationId });
    });

    it.each(['', ' ', 'no such thing', '../1', '1?x=1', '\u0000', 'ä'.repeat(5000)])('knows that %j is no destination', (bad) => {
      expect(definition.parseDestination(bad)).toMatchObject({ ok: false, message: expect.stringMatching(/\S/) });
    });

    it('turns the same event into the same bytes and leaves the event as it was', () => {
      const event = deepFreeze(structuredClone(given.sendable));
      expect(itemOf(event)).toBe(itemOf(structuredClone(given.sendable)));
      expect(event).toEqual(given.sendable);
      expect(definition.toItem(event, context)).toMatchObject({ expiresAtMs: expect.toSatisfy((atMs: number) => atMs > context.nowMs) });
    });

    it('keeps the event id', () => {
      expect(stringsIn(JSON.parse(itemOf(given.sendable)))).toContain(given.sendable.eventId);
    });

    it.each(['a "quoted" \\ id', 'id\nid', 'Ünïcödé-東京-🎯', '__proto__'])('keeps the event id %j, or refuses it', (eventId) => {
      const result = definition.toItem({ ...given.sendable, eventId }, context);
      expect(itemFlaws(result, PLANTED)).toEqual([]);
      expect(result.kind === 'refused' || stringsIn(JSON.parse(result.wire)).includes(eventId)).toBe(true);
    });

    it('gives an item or a refusal for any event, never a throw and never the e-mail in the clear', () => {
      const event = anArbitraryEvent({ nowMs: context.nowMs, base: given.sendable, planted: PLANTED });
      const consents: readonly (Consent | undefined)[] = [undefined, {}, { adUserData: 'DENIED' }, { adPersonalization: 'GRANTED' }];
      const property = fc.property(event, fc.constantFrom(...consents), (some, consent) => {
        const result = definition.toItem(some, { ...context, consent });
        expect(itemFlaws(result, PLANTED)).toEqual([]);
        expect(definition.toItem(some, { ...context, consent })).toEqual(result);
      });
      expect(() => fc.assert(property, { numRuns: 500 })).not.toThrow();
    });

    it.each([undefined, 'TEST123'])('builds a request without holes (test code %s)', (testCode) => {
      const request = requestOf(definition, given, [itemOf(given.sendable), itemOf({ ...given.sendable, eventId: 'second-id' })], testCode);
      expect(request.url).toMatch(/^https:\/\/[^\s]+$/);
      expect(JSON.stringify(request)).not.toMatch(/undefined|\[object|NaN/);
      const names = Object.keys(request.headers);
      expect(names).toEqual(names.map((name) => name.toLowerCase()));
      expect(Object.values(request.headers)).not.toContain('');
      expect(stringsIn(JSON.parse(request.body ?? 'null'))).toEqual(expect.arrayContaining([given.sendable.eventId, 'second-id']));
    });

    it('keeps the token out of the address, which proxies log', () => {
      const request = requestOf(definition, given, [itemOf(given.sendable)], undefined);
      expect(request.url).not.toContain(TOKEN);
      expect(JSON.stringify(request)).toContain(TOKEN);
    });

    it.each(STATUSES)('finds a meaning for every body under status %d', (status) => {
      const several = definition.maxDestinations > 1 ? [[2, 3]] : [];
      const flaws = [...BROKEN_BODIES, ...(given.bodies ?? []).flatMap(cutsOf)].flatMap((body) =>
        BROKEN_HEADERS.flatMap((headers) =>
          [[1], [3], [definition.maxEvents], ...several].flatMap((groupSizes) => {
            const reply = { status, headers, body, receivedAtMs: context.nowMs };
            return verdictFlaws(definition.readReply(reply, { groupSizes }), reply, { groupSizes });
          }),
        ),
      );
      expect(flaws).toEqual([]);
    });

    it('finds a meaning for any text and any JSON', () => {
      const property = fc.property(fc.constantFrom(...STATUSES), fc.oneof(fc.json(), fc.string()), fc.integer({ min: 1, max: 5 }), (status, body, size) => {
        const reply = { status, headers: {}, body, receivedAtMs: context.nowMs };
        const sent = { groupSizes: [size] };
        expect(verdictFlaws(definition.readReply(reply, sent), reply, sent)).toEqual([]);
      });
      expect(() => fc.assert(property, { numRuns: 500 })).not.toThrow();
    });
  });
}

export const utf8 = (text: string): Uint8Array => Buffer.from(text);
/** The request with its body as text, to be looked at. */
export const withText = (request: EventsRequest): OutboundRequest & { body: string } => ({ ...request, body: new TextDecoder('utf-8', { fatal: true }).decode(request.body) });

function requestOf<Credentials>(
  definition: PlatformDefinition<Credentials>,
  given: Conformance<Credentials>,
  items: readonly string[],
  testCode: string | undefined,
): OutboundRequest {
  const groups = [{ destinationId: given.destinationId, items: items.map(utf8) }];
  const batch = { groups, testCode, consent: undefined, credentials: given.credentials, accessToken: TOKEN };
  return withText(definition.toRequest(batch, TEST_ENDPOINTS));
}
