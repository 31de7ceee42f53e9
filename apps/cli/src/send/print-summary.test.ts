import { describe, expect, it } from 'vitest';
import { formatSummary } from './print-summary.ts';
import type { SendSummary } from './tally.ts';

function aSummary(given: Partial<SendSummary> = {}): SendSummary {
  return {
    batches: 2, submitted: 1500, received: 1500, failed: 0, pending: 0, refused: 0, badLines: 0,
    failuresByCode: {}, failures: [], refusals: [], lineFaults: [], deliveries: [], ...given,
  };
}

describe('formatSummary', () => {
  it('is three lines when all went well', () => {
    expect(formatSummary(aSummary())).toBe('sent       1500 events in 2 requests\ndelivered  1500\nfailed     0\n');
  });

  it('groups failures by code and shows the first by line', () => {
    const text = formatSummary(aSummary({
      received: 1497, failed: 3, failuresByCode: { no_match_keys: 1, event_too_old: 2 },
      failures: [{ place: 17, eventId: 'e17', code: 'event_too_old', message: 'Too\nold.' }],
    }));
    expect(text).toContain('why:\n  2  event_too_old\n  1  no_match_keys\n');
    expect(text).toContain('first failures (1 of 3):\n  line 17  e17  event_too_old: Too old.\n');
  });

  it('names the deliveries that are still open', () => {
    const text = formatSummary(aSummary({ received: 1000, pending: 500, deliveries: [{ deliveryId: 'd1', status: 'delivered' }, { deliveryId: 'd2', status: 'retrying' }] }));
    expect(text).toContain('d2  retrying');
    expect(text).not.toContain('d1');
  });

  it('names refused requests and bad lines', () => {
    const text = formatSummary(aSummary({
      refused: 500, refusals: [{ place: 501, events: 500, status: 400, message: 'events[2].eventTime is required.' }],
      badLines: 1, lineFaults: [{ place: 4, fault: 'is not JSON' }],
    }));
    expect(text).toContain('line 501 (500 events)  HTTP 400: events[2].eventTime is required.');
    expect(text).toContain('line 4 is not JSON');
  });
});
