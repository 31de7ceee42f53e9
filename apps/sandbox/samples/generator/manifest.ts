import type { Expected } from './mixed.ts';

/** What the demo relays, where to, and what has to become of it; compared exactly at its end. */
export interface Manifest {
  readonly files: readonly FilePlan[];
  /** Events of the files sent once more, each in a request of its own and all at once, to destinations of their own. */
  readonly singles: readonly SinglesPlan[];
}

export interface FilePlan {
  readonly file: string;
  readonly platform: 'metaads' | 'googleads' | 'linkedinads';
  readonly accountId: string;
  readonly destinationId: string;
  /** Events in one client request. */
  readonly batch: number;
  readonly events: number;
  readonly delivered: number;
  /** Events refused at ingest, by the relay's code. */
  readonly refused: Readonly<Record<string, number>>;
  /** Events that the platform refuses, by the code of their dead letter. */
  readonly dead: Readonly<Record<string, number>>;
  /** What the sandbox is told to refuse before the demo sends: event ids by the platform's code. */
  readonly poison: Readonly<Record<string, readonly string[]>>;
}

export interface SinglesPlan {
  readonly file: string;
  readonly platform: FilePlan['platform'];
  readonly accountId: string;
  /** Taken in turn. */
  readonly destinationIds: readonly string[];
  /** Appended to the event ids. */
  readonly idSuffix: string;
  /** The first events of the file; all of them are delivered. */
  readonly events: number;
}

type Target = Pick<FilePlan, 'file' | 'platform' | 'accountId' | 'destinationId' | 'batch'>;

const META = { platform: 'metaads', accountId: 'acc_meta' } as const;
const GOOGLE = { platform: 'googleads', accountId: 'acc_google' } as const;
const LINKEDIN = { platform: 'linkedinads', accountId: 'acc_linkedin' } as const;
const action = (id: number) => `customers/1234567890/conversionActions/${id}`;

export const TARGETS = {
  shop: { file: 'shop-purchases.ndjson', ...META, destinationId: '1000000000000001', batch: 500 },
  leads: { file: 'crm-leads.ndjson', ...LINKEDIN, destinationId: '50001', batch: 500 },
  offline: { file: 'offline-sales.json', ...GOOGLE, destinationId: action(111), batch: 400 },
  mixed: { file: 'mixed-quality.ndjson', ...META, destinationId: '1000000000000002', batch: 100 },
} as const satisfies Record<string, Target>;

export const SINGLES: readonly SinglesPlan[] = [
  { file: TARGETS.shop.file, ...META, destinationIds: ['1000000000000003'], idSuffix: '-single', events: 160 },
  { file: TARGETS.offline.file, ...GOOGLE, destinationIds: [112, 113, 114, 115].map(action), idSuffix: '-single', events: 160 },
  { file: TARGETS.leads.file, ...LINKEDIN, destinationIds: ['50002'], idSuffix: '-single', events: 80 },
];

export function goodFile(target: Target, events: number): FilePlan {
  return { ...target, events, delivered: events, refused: {}, dead: {}, poison: {} };
}

export function mixedFile(target: Target, rows: readonly { readonly eventId: string; readonly expected: Expected }[]): FilePlan {
  const refused: Record<string, number> = {};
  const dead: Record<string, number> = {};
  const poison: Record<string, string[]> = {};
  for (const { eventId, expected } of rows) {
    if (expected.kind === 'refused') refused[expected.code] = (refused[expected.code] ?? 0) + 1;
    if (expected.kind !== 'poisoned') continue;
    // Dead letters carry Meta's code and subcode.
    const code = `100/${expected.code}`;
    dead[code] = (dead[code] ?? 0) + 1;
    (poison[expected.code] ??= []).push(eventId);
  }
  const delivered = rows.filter((row) => row.expected.kind === 'delivered').length;
  return { ...target, events: rows.length, delivered, refused, dead, poison };
}
