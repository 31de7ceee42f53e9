import { createClient, type RelayClient } from '../http.ts';
import { awaitFinal } from './await-final.ts';
import { findProblems } from './check.ts';
import { allLetters, newestRows, readCounts } from './collect.ts';
import { readManifest, type Manifest } from './manifest.ts';
import { outcomesOf, totalsOf } from './outcome.ts';
import { createPaint } from './paint.ts';
import { relayFile, relaySingles, type SentRequest } from './relay-samples.ts';
import { formatReport } from './report.ts';
import { endWith, runStack } from './run-stack.ts';
import { createSandboxControl, type SandboxControl } from './sandbox-control.ts';
import { scriptedFaults, scriptSandbox } from './script-sandbox.ts';
import type { Stack } from './stack.ts';
import { findWhatsappProblems } from './whatsapp-check.ts';
import { playWhatsapp } from './whatsapp-loop.ts';
import { formatWhatsapp } from './whatsapp-report.ts';

/** For all final answers of a phase; it takes seconds. */
const FINAL_MS = 45_000;
const LOG_ROWS = 5;

const paint = createPaint(process.stdout.isTTY && !process.env['NO_COLOR']);
const startedAt = performance.now();
const say = (line: string) => void process.stdout.write(`${line}\n`);
const step = (line: string) => say(`${paint.faint(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(5)} s`)}  ${line}`);

async function relayAll(client: RelayClient, control: SandboxControl, manifest: Manifest) {
  const requests: SentRequest[] = [];
  const finish = async (sent: readonly (readonly SentRequest[])[]) => {
    const ids = sent.flat().map(({ deliveryId }) => deliveryId);
    requests.push(...sent.flat());
    return awaitFinal(client, ids, FINAL_MS);
  };
  const events = manifest.files.reduce((sum, plan) => sum + plan.events, 0);
  step(`relaying ${events} sample events of ${manifest.files.length} files in batches`);
  const fromFiles = await finish(await Promise.all(manifest.files.map((plan, index) => relayFile(client, plan, index))));
  const sandboxBeforeSingles = await control.summary();

  step(`relaying ${manifest.singles.reduce((sum, plan) => sum + plan.events, 0)} events, each in a request of its own, all at once`);
  const fromSingles = await finish(await Promise.all(manifest.singles.map((plan, index) => relaySingles(client, plan, index))));
  step('every request has its final answer, or the deadline is over');
  return { requests, deliveries: [...fromFiles, ...fromSingles], sandboxBeforeSingles };
}

async function demo(stack: Stack): Promise<number> {
  const manifest = await readManifest();
  const control = createSandboxControl(stack.sandboxUrl);
  const client = createClient({ baseUrl: stack.apiUrl, apiKey: stack.secrets.apiKey });
  await scriptSandbox(control, manifest);
  step('stack is up: sandbox platforms, api, worker');
  const { requests, deliveries, sandboxBeforeSingles } = await relayAll(client, control, manifest);

  const outcomes = outcomesOf({ manifest, requests, deliveries, letters: await allLetters(client) });
  const counts = await readCounts(stack, control);
  const logs = await newestRows(client, [...new Set(outcomes.map(({ plan }) => plan.accountId))], LOG_ROWS);
  const faultWords = scriptedFaults(manifest).map(({ words }) => words);
  step('WhatsApp: people tap ads, write, and become customers');
  const whatsapp = await playWhatsapp(stack, client, control);
  say(`\n${formatReport({ outcomes, counts, sandboxBeforeSingles, logs, faultWords }, paint)}`);
  say(formatWhatsapp(whatsapp, paint));
  say(places(stack));
  const events = outcomes.reduce((sum, { submitted }) => sum + submitted, 0) + whatsapp.sent.length;
  return verdict([...findProblems(outcomes, counts), ...findWhatsappProblems(whatsapp)], events, totalsOf(outcomes).length + 1);
}

function places({ apiUrl, workerUrl, secrets }: Stack): string {
  return [
    paint.heading('Where to look (gone when the demo ends; npm start keeps the same stack up)'),
    `  Bull Board  ${apiUrl}/admin/queues   login: ${secrets.opsUser} / ${secrets.opsPassword}`,
    `  metrics     ${apiUrl}/metrics  ${workerUrl}/metrics`,
    `  reference   ${apiUrl}/docs`,
    '',
  ].join('\n');
}

function verdict(problems: readonly string[], events: number, platforms: number): number {
  if (problems.length === 0) {
    step(paint.good(`done: ${events} events to ${platforms} platforms, every one accounted for`));
    return 0;
  }
  step(paint.bad(`not as expected in ${problems.length} places:`));
  for (const problem of problems) say(`  ${problem}`);
  return 1;
}

step('starting');
await endWith(runStack({ mode: 'demo', redisUrl: process.env['REDIS_URL'], say: step }, demo));
