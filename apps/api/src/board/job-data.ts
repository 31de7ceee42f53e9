/**
 * Job data as the dashboard shows it: counts, ids and ages, with the payload as its size. What is not known is shown by
 * its kind only, so that no shape, old or new, can put a person on the screen.
 */
export function describeJobData(data: unknown, nowMs: number): unknown {
  if (typeof data !== 'object' || data === null) return data === undefined || data === null ? null : { unreadable: typeof data };
  const record = data as Readonly<Record<string, unknown>>;
  try {
    return record['v'] === 1 && 'p' in record ? describeChunk(record, nowMs) : describeRecord(record, nowMs);
  } catch {
    return { unreadable: 'job data' };
  }
}

function describeChunk(data: Readonly<Record<string, unknown>>, nowMs: number): unknown {
  const parts = Array.isArray(data['p']) ? (data['p'] as unknown[]).map((part) => (typeof part === 'object' && part !== null ? (part as Record<string, unknown>) : {})) : [];
  return {
    account: plain(data['a']),
    destination: plain(data['d']),
    ...(data['t'] === undefined ? {} : { testCode: plain(data['t']) }),
    ...(data['c'] === undefined ? {} : { consent: consentOf(data['c']) }),
    ...(data['rl'] === undefined ? {} : { replayOf: plain(data['rl']) }),
    events: plain(data['n']),
    bytes: plain(data['b']),
    age: agoOf(data['at'], nowMs),
    acceptedAt: timeOf(data['at']),
    firstExpiryAt: timeOf(data['x']),
    deliveries: [...new Set(parts.map((part) => plain(part['d'])))],
    chunks: parts.map((part) => `${String(plain(part['d']))}#${String(plain(part['k']))}`),
    payload: payloadOf(data['z']),
  };
}

/** Names of fields that are shown as they are: ids, counts and platform words that the writers keep free of persons. */
const SHOWN = new Set([
  'v', 'platform', 'account', 'accountId', 'destination', 'destinationId', 'delivery', 'deliveryId', 'deliveryIds', 'deliveries', 'chunk', 'lane', 'letterId', 'id',
  'reason', 'code', 'message', 'events', 'eventCount', 'eventIds', 'attempts', 'bytes', 'replays', 'force', 'kind', 'statusId', 'whyNot', 'revision', 'indices', 'testCode', 'replayOf',
]);

function describeRecord(data: Readonly<Record<string, unknown>>, nowMs: number): unknown {
  const shown: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(data)) {
    if (name === 'z' || name === 'payload' || name === 'sealed') shown['payload'] = payloadOf(value);
    else if (name === 'consent') shown[name] = consentOf(value);
    else if (/(?:At|AtMs)$/.test(name) && typeof value === 'number') shown[name.replace(/Ms$/, '')] = `${String(timeOf(value))} (${agoOf(value, nowMs)})`;
    else shown[name] = SHOWN.has(name) ? plain(value) : kindOf(value);
  }
  return shown;
}

const MAX_TEXT = 500;
const MAX_ENTRIES = 100;

/** Texts, numbers and short lists of them; anything nested by its kind. */
function plain(value: unknown): unknown {
  if (typeof value === 'string') return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value;
  if (typeof value === 'number' || typeof value === 'boolean' || value === undefined || value === null) return value ?? null;
  if (Array.isArray(value)) return (value as unknown[]).slice(0, MAX_ENTRIES).map((entry) => (typeof entry === 'object' ? kindOf(entry) : plain(entry)));
  if (typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, typeof entry === 'object' ? kindOf(entry) : plain(entry)]));
  return kindOf(value);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return `list of ${value.length}, not shown`;
  return typeof value === 'string' ? `text of ${value.length} characters, not shown` : `${value === null ? 'null' : typeof value}, not shown`;
}

const CONSENT: Readonly<Record<string, string>> = { G: 'granted', D: 'denied', '-': 'not said' };

/** Two letters: ad user data, ad personalisation. Another form is shown as it is. */
function consentOf(value: unknown): unknown {
  if (typeof value !== 'string' || !/^[GD-]{2}$/.test(value)) return plain(value);
  return { adUserData: CONSENT[value[0]!], adPersonalization: CONSENT[value[1]!] };
}

function payloadOf(value: unknown): string {
  return typeof value === 'string' ? `sealed, ${Buffer.byteLength(value, 'base64')} bytes` : 'sealed';
}

function timeOf(ms: unknown): string | null {
  return typeof ms === 'number' && Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString() : null;
}

function agoOf(ms: unknown, nowMs: number): string {
  if (typeof ms !== 'number') return 'unknown';
  const seconds = Math.round((nowMs - ms) / 1000);
  if (seconds < 0) return `in ${spanOf(-seconds)}`;
  return `${spanOf(seconds)} ago`;
}

function spanOf(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}
