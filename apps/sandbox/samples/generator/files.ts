import { crmLeads } from './crm.ts';
import { goodFile, mixedFile, SINGLES, TARGETS, type Manifest } from './manifest.ts';
import { mixedQuality } from './mixed.ts';
import { offlineSales } from './offline.ts';
import { shopPurchases } from './shop.ts';
import type { SampleEvent } from './sample-event.ts';

/** Every generated file by its name. The same text on every machine and at any time. */
export function sampleFiles(): ReadonlyMap<string, string> {
  const shop = shopPurchases(3500);
  const leads = crmLeads(2600);
  const offline = offlineSales(2400);
  const mixed = mixedQuality(300);
  const manifest: Manifest = {
    files: [
      goodFile(TARGETS.shop, shop.length),
      goodFile(TARGETS.leads, leads.length),
      goodFile(TARGETS.offline, offline.length),
      mixedFile(TARGETS.mixed, mixed.map(({ event, expected }) => ({ eventId: event.eventId, expected }))),
    ],
    singles: SINGLES,
  };
  return new Map([
    [TARGETS.shop.file, ndjson(shop)],
    [TARGETS.leads.file, ndjson(leads)],
    [TARGETS.offline.file, jsonArray(offline)],
    [TARGETS.mixed.file, ndjson(mixed.map(({ event }) => event))],
    ['manifest.json', `${JSON.stringify(manifest, null, 2)}\n`],
  ]);
}

function ndjson(events: readonly SampleEvent[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}

/** An array with one event a line: valid JSON that still reads well in a diff. */
function jsonArray(events: readonly SampleEvent[]): string {
  return `[\n${events.map((event) => JSON.stringify(event)).join(',\n')}\n]\n`;
}
