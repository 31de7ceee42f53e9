import { cpus, totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { run, type Load } from './load.ts';
import { openGround, openSystem, type Ground, type System, type SystemName } from './systems.ts';

/**
 * Measures the relay beside the least program that could do the job, in turns, on one machine: `npm run bench`.
 * Options: --rounds N (5), --quick (small loads: shows that it works, its figures mean little).
 */
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' }, quick: { type: 'boolean', default: false } } });
const rounds = Math.max(Number(values.rounds), 1);
const scale = values.quick ? 0.05 : 1;

interface Case {
  readonly name: string;
  readonly unit: string;
  readonly load: Omit<Load, 'url' | 'apiKey'>;
  readonly systems: readonly SystemName[];
}

const sized = (requests: number) => Math.max(Math.round(requests * scale), 20);
const CASES: readonly Case[] = [
  { name: 'batched, 1000 events a request, respond-async', unit: 'events/s delivered', load: { requests: sized(120), eventsPerRequest: 1000, concurrency: 4, sync: false }, systems: ['floor', 'floor+hash', 'relay'] },
  { name: 'single events, respond-async', unit: 'events/s delivered', load: { requests: sized(12_000), eventsPerRequest: 1, concurrency: 64, sync: false }, systems: ['floor', 'floor+hash', 'relay'] },
  { name: 'single events, synchronous answer', unit: 'requests/s', load: { requests: sized(6_000), eventsPerRequest: 1, concurrency: 64, sync: true }, systems: ['relay'] },
];
/** Longest wait for what was accepted to reach the sink. */
const DRAIN_MS = 120_000;

async function measure(ground: Ground, system: System, { load }: Case): Promise<{ perSecond: number; p50: number; p99: number; requests: number }> {
  await run({ ...load, ...system, requests: Math.min(load.requests, 20) });
  await sunkAll(ground, Math.min(load.requests, 20) * load.eventsPerRequest);
  await ground.resetSink();
  const startedAt = performance.now();
  const { latenciesMs } = await run({ ...load, ...system });
  const { requests } = await sunkAll(ground, load.requests * load.eventsPerRequest);
  const seconds = (performance.now() - startedAt) / 1000;
  const at = (share: number) => latenciesMs[Math.min(Math.floor(latenciesMs.length * share), latenciesMs.length - 1)]!;
  return { perSecond: (load.requests * load.eventsPerRequest) / seconds, p50: at(0.5), p99: at(0.99), requests };
}

async function sunkAll(ground: Ground, events: number): Promise<{ requests: number }> {
  const deadline = Date.now() + DRAIN_MS;
  for (;;) {
    const sunk = await ground.sunk();
    if (sunk.events >= events) return sunk;
    if (Date.now() > deadline) throw new Error(`only ${sunk.events} of ${events} events arrived`);
    await sleep(5);
  }
}

const median = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
const whole = (number: number) => Math.round(number).toLocaleString('en');

await using ground = await openGround();
console.log(`${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, Redis with AOF everysec; medians of ${rounds} rounds${values.quick ? ' (quick: figures mean little)' : ''}\n`);
console.log('| what | system | median | of floor | p50 / p99 ms of an answer | platform requests |');
console.log('| --- | --- | ---: | ---: | ---: | ---: |');
for (const one of CASES) {
  const results = new Map<SystemName, Awaited<ReturnType<typeof measure>>[]>(one.systems.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of one.systems) {
      await ground.flush();
      await ground.resetSink();
      await using system = await openSystem(name, ground);
      results.get(name)!.push(await measure(ground, system, one));
    }
  }
  const floor = results.get('floor');
  for (const [name, own] of results) {
    const speed = median(own.map(({ perSecond }) => perSecond));
    const share = floor === undefined ? '' : (speed / median(floor.map(({ perSecond }) => perSecond))).toFixed(2);
    const answer = `${median(own.map(({ p50 }) => p50)).toFixed(1)} / ${median(own.map(({ p99 }) => p99)).toFixed(1)}`;
    console.log(`| ${one.name} | ${name} | ${whole(speed)} ${one.unit} | ${share} | ${answer} | ${whole(median(own.map(({ requests }) => requests)))} |`);
  }
}
