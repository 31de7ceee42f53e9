import { randomBytes } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readApiConfig, readWorkerConfig, SETTINGS } from '@relay/runtime';
import { findCommand, runCommand } from '@relay/testkit';
import { describe, expect, test } from 'vitest';
import { NODE_ARGS } from '../../apps/cli/src/stack/paths.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string) => readFile(join(root, path), 'utf8');

/** The metrics of the design, section 7, with their labels. */
const METRICS = {
  relay_events_accepted_total: ['platform'],
  relay_events_delivered_total: ['platform'],
  relay_events_failed_total: ['platform', 'reason'],
  relay_events_dead_lettered_total: ['platform', 'reason'],
  relay_platform_requests_total: ['platform', 'outcome'],
  relay_platform_request_duration_seconds: ['platform'],
  relay_chunk_events: ['platform'],
  relay_event_age_seconds: ['platform'],
  relay_queue_jobs: ['queue', 'state'],
  relay_oldest_event_age_seconds: ['platform'],
  relay_held_events: ['platform'],
  relay_account_cooldown_seconds: ['account'],
  relay_ledger_imbalance: ['platform'],
  relay_http_request_duration_seconds: ['route', 'method', 'status'],
} as const;
const HISTOGRAMS = [
  'relay_platform_request_duration_seconds',
  'relay_chunk_events',
  'relay_event_age_seconds',
  'relay_http_request_duration_seconds',
];
/** The values of `outcome` and `reason` that rules may name: how a request can end, and the reasons of dead letters. */
const OUTCOMES = ['delivered', 'partial', 'retry', 'rate_limited', 'unauthorised', 'rejected_events', 'rejected_request', 'too_large'];
const DEAD_REASONS = ['rejected', 'destination', 'account', 'operator', 'expired', 'attempts_exhausted', 'unknown'];

/** The variables of the design, section 9, and those that came since, with their defaults; null where there is none. */
const VARIABLES: Readonly<Record<string, string | null>> = {
  REDIS_URL: 'redis://127.0.0.1:6379',
  PORT: '8080',
  HOST: '0.0.0.0',
  WORKER_PORT: '9090',
  WORKER_PLATFORMS: 'metaads,googleads,linkedinads,whatsapp',
  RELAY_SECRET_KEY: null,
  RELAY_BOOTSTRAP: null,
  OPS_USER: null,
  OPS_PASSWORD: null,
  META_GRAPH_URL: 'https://graph.facebook.com',
  META_GRAPH_VERSION: 'v25.0',
  META_APP_SECRET: null,
  META_VERIFY_TOKEN: null,
  GOOGLE_DATA_MANAGER_URL: 'https://datamanager.googleapis.com',
  GOOGLE_ADS_URL: 'https://googleads.googleapis.com',
  GOOGLE_ADS_VERSION: 'v24',
  GOOGLE_OAUTH_URL: 'https://oauth2.googleapis.com/token',
  LINKEDIN_API_URL: 'https://api.linkedin.com',
  LINKEDIN_OAUTH_URL: 'https://www.linkedin.com/oauth/v2/accessToken',
  LINKEDIN_VERSION: '202609',
  SYNC_WAIT_MS: '10000',
  MAX_ATTEMPTS: '12',
  BACKOFF_BASE_MS: '1000',
  BACKOFF_MAX_MS: '900000',
  PLATFORM_TIMEOUT_MS: '30000',
  DESTINATION_CONCURRENCY: '2',
  WORKER_CONCURRENCY: '8192',
  SALVAGE: 'on',
  LOG_RETENTION_DAYS: '30',
  LOG_MAX_ENTRIES: '100000',
  EVENT_INDEX_HOURS: '72',
  BODY_LIMIT_BYTES: '33554432',
  INGEST_THREADS: '2',
  SHUTDOWN_GRACE_MS: '25000',
  QUEUE_LANES: '1',
  LOG_LEVEL: 'info',
  GOOGLE_STATUS_FIRST_POLL_MS: '1800000',
  NODE_ENV: 'production',
};

/** A histogram is queried by the names of its parts. */
function metricOf(name: string): string {
  const base = name.replace(/_(bucket|sum|count)$/, '');
  return HISTOGRAMS.includes(base) ? base : name;
}

function metricsIn(text: string): string[] {
  return [...new Set((text.match(/\brelay_[a-z_]+/g) ?? []).map(metricOf))].sort();
}

describe('metric names', () => {
  test.each(['infra/prometheus/alerts.yml', 'infra/prometheus/alerts.test.yml', 'infra/grafana/dashboard.json'])(
    '%s uses only those of the design',
    async (path) => {
      const used = metricsIn(await read(path));
      expect(used.length).toBeGreaterThan(5);
      expect(used.filter((name) => !(name in METRICS))).toEqual([]);
    },
  );

  test('every metric is watched: it is in the rules or on the dashboard', async () => {
    const watched = metricsIn((await read('infra/prometheus/alerts.yml')) + (await read('infra/grafana/dashboard.json')));
    expect(watched).toEqual(Object.keys(METRICS).sort());
  });

  test('histograms are queried by their parts, never by their bare name', async () => {
    const text = (await read('infra/prometheus/alerts.yml')) + (await read('infra/grafana/dashboard.json'));
    for (const name of HISTOGRAMS) expect(text).not.toMatch(new RegExp(`\\b${name}\\b`));
  });

  test('labels and their values are those of the design', async () => {
    const texts = await Promise.all(['infra/prometheus/alerts.yml', 'infra/grafana/dashboard.json'].map(read));
    const selectors = texts.join('\n').replaceAll('\\"', '"').matchAll(/\b(relay_[a-z_]+)\{([^}]*)\}/g);
    let seen = 0;
    for (const [, name = '', selector = ''] of selectors) {
      const labels = METRICS[metricOf(name) as keyof typeof METRICS] as readonly string[];
      for (const [, label = '', value = ''] of selector.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"/g)) {
        seen += 1;
        expect(labels, `${name} has no label ${label}`).toContain(label);
        const known = { outcome: OUTCOMES, reason: DEAD_REASONS }[label];
        const unknown = value.split('|').filter((one) => known?.includes(one) === false);
        expect(unknown, `${name}{${selector}}`).toEqual([]);
      }
    }
    expect(seen).toBeGreaterThan(10);
  });
});

describe('promtool', () => {
  test.each([
    ['check', 'rules', 'infra/prometheus/alerts.yml'],
    ['check', 'config', 'infra/prometheus/prometheus.yml'],
    ['test', 'rules', 'infra/prometheus/alerts.test.yml'],
  ])('%s %s %s', { timeout: 60_000 }, async (...args) => {
    const promtool = findCommand(['promtool']);
    if (promtool === undefined) throw new Error('promtool is not on the PATH. Install it: apt-get install prometheus');
    const path = join(root, args[2]);
    const result = await runCommand(promtool, [args[0], args[1], path], { timeoutMs: 50_000 });
    expect(result).toEqual({ code: 0, output: expect.stringContaining('SUCCESS') });
  });

  test('every alert has a test', async () => {
    const alerts = [...(await read('infra/prometheus/alerts.yml')).matchAll(/- alert: (\w+)/g)].map((match) => match[1] ?? '');
    const tests = await read('infra/prometheus/alerts.test.yml');
    expect(alerts.length).toBeGreaterThan(10);
    for (const alert of alerts) {
      expect(tests, `${alert} is never silent in a test`).toMatch(new RegExp(`eval_time: \\w+, alertname: ${alert}\\b`));
      expect(tests, `${alert} never fires in a test`).toMatch(new RegExp(`alertname: ${alert}\\n\\s+exp_alerts:\\n\\s+- exp_labels`));
    }
  });

  test('both roles are scraped', async () => {
    const config = await read('infra/prometheus/prometheus.yml');
    expect(config).toContain("targets: ['api:8080']");
    expect(config).toMatch(/names: \[worker\]\n\s+type: A\n\s+port: 9090/);
  });
});

describe('the dashboard', () => {
  type Panel = { title: string; gridPos: { x: number; y: number; w: number; h: number }; targets: { expr: string }[] };

  test('has panels that ask something, side by side within the grid', async () => {
    const { panels } = JSON.parse(await read('infra/grafana/dashboard.json')) as { panels: Panel[] };
    const cells = new Set<string>();
    for (const { title, gridPos, targets } of panels) {
      expect(title).not.toBe('');
      expect(targets.length).toBeGreaterThan(0);
      for (const { expr } of targets) expect(expr).toMatch(/relay_/);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(x).toBeLessThan(24);
          expect(cells.has(`${x},${y}`), `${title} overlaps another panel`).toBe(false);
          cells.add(`${x},${y}`);
        }
      }
    }
    expect(panels.length).toBeGreaterThan(8);
  });
});

describe('.env.example', () => {
  const setting = /^(# )?([A-Z][A-Z0-9_]*)=(.*)$/;

  test('names every variable once, with its default', async () => {
    const found = new Map<string, string | null>();
    for (const line of (await read('.env.example')).split('\n')) {
      const [, , name, value = ''] = setting.exec(line) ?? [];
      if (name === undefined) continue;
      expect(found.has(name), `${name} is there twice`).toBe(false);
      found.set(name, value === '' ? null : value);
    }
    expect(Object.fromEntries(found)).toEqual(VARIABLES);
  });

  test('those variables are all that api and worker read', () => {
    expect(Object.keys(VARIABLES).sort()).toEqual(SETTINGS.toSorted());
  });

  test('the defaults it shows are those that api and worker have', async () => {
    const secret = { RELAY_SECRET_KEY: randomBytes(32).toString('base64') };
    const shown = { ...Object.fromEntries(Object.entries(VARIABLES).filter(([, value]) => value !== null)), ...secret };
    expect(readApiConfig(shown as Record<string, string>)).toEqual(readApiConfig(secret));
    expect(readWorkerConfig(shown as Record<string, string>)).toEqual(readWorkerConfig(secret));
  });

  test('says what each is for, and holds no secret', async () => {
    const lines = (await read('.env.example')).split('\n');
    for (const [index, line] of lines.entries()) {
      const [, , name, value = ''] = setting.exec(line) ?? [];
      if (name === undefined) continue;
      // A sentence above it, or above the variables it is described with.
      const above = lines.slice(0, index).findLast((other) => !setting.test(other));
      expect(above, `${name} is not explained`).toMatch(/^# [^-]/);
      expect(value === '' || !/SECRET|PASSWORD|TOKEN$/.test(name), `${name} has a value`).toBe(true);
    }
  });
});

/** A light look: the file is read as text, since no YAML parser is a dependency of ours. */
describe('docker-compose.yml', () => {
  test('keeps to the rules that a slip would break silently', async () => {
    const compose = await read('docker-compose.yml');
    expect(compose).not.toContain('\t');
    for (const service of ['redis', 'api', 'worker', 'sandbox', 'prometheus']) {
      expect(compose).toMatch(new RegExp(`^  ${service}:$`, 'm'));
    }
    // Secrets have no default: starting without one is refused.
    expect(compose).toMatch(/RELAY_SECRET_KEY: \$\{RELAY_SECRET_KEY:\?/);
    expect(compose).toContain('- noeviction');
    expect(compose).toMatch(/- --appendonly\n\s+- 'yes'/);

    const published = [...compose.matchAll(/ports: \['([^']+)'\]/g)].map((match) => match[1]);
    expect(published.length).toBe(4);
    for (const port of published) expect(port).toMatch(/^127\.0\.0\.1:/);
    expect(compose.match(/ports:/g)?.length).toBe(published.length);
  });

  test('starts every role with the arguments of Node that npm and the demo start it with', async () => {
    const compose = await read('docker-compose.yml');
    const { scripts } = JSON.parse(await read('package.json')) as { scripts: Record<string, string> };
    for (const role of ['api', 'worker', 'sandbox'] as const) {
      const command = ['node', ...NODE_ARGS[role], `apps/${role}/src/main.ts`];
      expect(compose).toContain(`command: [${command.join(', ')}]`);
      expect(scripts[role]).toBe(command.join(' '));
    }
  });

  test('gives a process longer to stop than it gives itself', async () => {
    const graceSeconds = Number(/stop_grace_period: (\d+)s/.exec(await read('docker-compose.yml'))?.[1]);
    expect(graceSeconds * 1000).toBeGreaterThan(Number(VARIABLES['SHUTDOWN_GRACE_MS']));
  });

  test('names only files that are there', async () => {
    const compose = await read('docker-compose.yml');
    const named = [...compose.matchAll(/(?:- |dockerfile: |node, (?:--[\w=-]+, )*)\.?\/?((?:infra|apps)\/[\w./-]+?)(?=[:\s\],]|$)/g)].map((match) => match[1] ?? '');
    expect(named.length).toBeGreaterThan(5);
    for (const path of named.filter((name) => name.startsWith('infra/'))) {
      await expect(readFile(join(root, path)).catch((error: NodeJS.ErrnoException) => (error.code === 'EISDIR' ? readdir(join(root, path)) : Promise.reject(error)))).resolves.toBeDefined();
    }
  });
});
