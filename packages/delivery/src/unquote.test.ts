import { describe, expect, it } from 'vitest';
import type { Verdict } from '@relay/contract';
import { unquote } from './unquote.ts';

const wire = JSON.stringify({
  event_id: 'order-4711',
  user: { userIds: [{ idType: 'LINKEDIN_FIRST_PARTY_ADS_TRACKING_UUID', idValue: 'li-fat-0815' }], userInfo: { firstName: 'Johanna', lastName: 'Johannason', countryCode: 'DE' }, externalIds: ['crm-77'] },
  user_data: { client_user_agent: 'Mozilla/5.0 (X11)', client_ip_address: '2001:db8::7', lead_id: 123456789012345 },
});
const said = (message: string): Verdict => ({ kind: 'rejected_events', indices: [0], faults: [{ index: 0, code: 'x', message, retryable: false }], code: 'x', message, traceId: undefined });

describe('unquote', () => {
  it.each([
    ['Name Johannason is odd', 'Name *** is odd'],
    ['externalIds crm-77 and li-fat-0815 are unknown', 'externalIds *** and *** are unknown'],
    ['agent Mozilla/5.0 (X11) at 2001:db8::7', 'agent *** at ***'],
    ['lead 123456789012345 was deleted', 'lead *** was deleted'],
    ['country DE of order-4711 is fine to say', 'country DE of order-4711 is fine to say'],
  ])('%s', (given, expected) => {
    const verdict = unquote(said(given), [Buffer.from(wire)]);
    expect(verdict).toMatchObject({ message: expected, faults: [{ message: expected }] });
  });

  it('cleans warnings and faults of an accepted request, and leaves one without words as it is', () => {
    const accepted: Verdict = { kind: 'accepted', traceId: 't', faults: [{ index: 0, code: '422', message: 'bad Johanna', retryable: false }], warnings: ['odd crm-77'], statusId: undefined };
    expect(unquote(accepted, [Buffer.from(wire)])).toMatchObject({ faults: [{ message: 'bad ***' }], warnings: ['odd ***'] });
    const plain: Verdict = { ...accepted, faults: [], warnings: [] };
    expect(unquote(plain, [Buffer.from(wire)])).toBe(plain);
  });

  it('does not stumble over a wire that is no JSON', () => {
    expect(unquote(said('Johanna'), [Buffer.from('not json')])).toMatchObject({ message: 'Johanna' });
  });
});
