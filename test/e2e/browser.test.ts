import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freshIds, toMeta } from './events.ts';
import { OPS, startRelay, type Relay } from './harness.ts';
import { aPlantedEvent, found, PLAIN } from './planted.ts';

/** A browser that is there; none is downloaded. */
const CHROMIUM = [process.env['CHROMIUM_PATH'] ?? '', '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => path !== '' && existsSync(path));
const FLAGS = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'];

const parts = new AsyncDisposableStack();
let relay: Relay;
let browser: Browser;
let shots: string;

describe.skipIf(CHROMIUM === undefined)('in a real browser', () => {
  beforeAll(async () => {
    shots = await mkdtemp(join(tmpdir(), 'relay-shots-'));
    parts.defer(() => rm(shots, { recursive: true, force: true }));
    // No worker: what is queued stays waiting.
    relay = await startRelay({ workers: 0 });
    parts.defer(() => relay.stop());
    browser = await chromium.launch({ executablePath: CHROMIUM!, args: FLAGS });
    parts.defer(() => browser.close());
    await relay.queue(toMeta([aPlantedEvent(freshIds('shown', 1)[0]!)]));
  });
  afterAll(() => parts.disposeAsync());

  /** A page, and all that went wrong on it. */
  async function open(path: string, login: { username: string; password: string } | undefined, faults: string[]): Promise<Page> {
    const context = await browser.newContext(login === undefined ? {} : { httpCredentials: login });
    const page = await context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') faults.push(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => faults.push(`page: ${error.message}`));
    page.on('requestfailed', (request) => faults.push(`failed: ${request.url()}`));
    page.on('request', (request) => {
      if (!request.url().startsWith(relay.url) && !request.url().startsWith('data:')) faults.push(`elsewhere: ${request.url()}`);
    });
    await page.goto(`${relay.url}${path}`, { waitUntil: 'networkidle' });
    return page;
  }

  test('/docs shows every route of the reference, without asking anybody else', async () => {
    const faults: string[] = [];
    const page = await open('/docs', undefined, faults);
    await page.waitForSelector('.opblock');
    await page.screenshot({ path: join(shots, 'docs.png'), fullPage: true });
    const shown = await page.$$eval('.opblock', (blocks) => blocks.map((block) => `${block.querySelector('.opblock-summary-method')?.textContent} ${block.querySelector('.opblock-summary-path')?.textContent}`.replaceAll('​', '')));
    const { paths } = (await relay.call('GET', '/openapi.json', { key: null })).body as { paths: Record<string, Record<string, unknown>> };
    const documented = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));
    expect(new Set(shown)).toEqual(new Set(documented));
    expect(shown).toContain('POST /v1/ads/conversions');
    // One of them opened: parameters, body and answers are there.
    await page.click('.opblock-post .opblock-summary-control');
    await page.waitForSelector('.opblock-post .responses-table');
    expect(faults).toEqual([]);
  });

  test('/admin/queues asks for a login and takes no wrong one', async () => {
    const bare = await fetch(`${relay.url}/admin/queues`);
    expect([bare.status, bare.headers.get('www-authenticate')]).toEqual([401, expect.stringContaining('Basic')]);
    const page = await open('/admin/queues', { username: OPS.user, password: 'wrong' }, []);
    expect(await page.textContent('body')).not.toContain('metaads');
  });

  test('/admin/queues shows the queues, and a waiting job that is readable and sealed', async () => {
    const faults: string[] = [];
    const page = await open('/admin/queues', { username: OPS.user, password: OPS.password }, faults);
    await page.waitForSelector('text=metaads');
    await page.screenshot({ path: join(shots, 'queues.png') });
    const overview = (await page.textContent('body')) ?? '';
    for (const queue of ['metaads', 'googleads', 'linkedinads', 'metaads.dead']) expect(overview).toContain(queue);

    await page.goto(`${relay.url}/admin/queues/queue/metaads?status=prioritized`, { waitUntil: 'networkidle' });
    await page.waitForSelector('text=acc_meta');
    await page.screenshot({ path: join(shots, 'job.png') });
    const job = (await page.textContent('body')) ?? '';
    expect(job).toMatch(/sealed, \d+ bytes/);
    expect(job).toContain('dlv_');
    expect(found(job, PLAIN)).toEqual([]);
    // Bull Board's page asks fonts.googleapis.com for a stylesheet, which the page's own policy forbids:
    // apps/api/src/board/install-board.ts takes the link out of the HTML.
    expect(faults).toEqual([]);
  });
});
