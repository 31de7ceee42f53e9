import { describe, expect, it } from 'vitest';
import { openApi } from '../testing/open-api.ts';

interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, { responses: Record<string, unknown>; summary?: string; security?: unknown; parameters?: { in: string; name: string }[] }>>;
  readonly components: { readonly schemas: Record<string, unknown> };
}

async function readDocument(): Promise<Document> {
  await using api = await openApi();
  const reply = await api.call('GET', '/openapi.json', { headers: { authorization: '' } });
  expect(reply.status).toBe(200);
  return reply.body as unknown as Document;
}

describe('/openapi.json', () => {
  it('is OpenAPI 3.1 and tells every route once, but for pages', async () => {
    const document = await readDocument();
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths).sort()).toEqual([
      '/healthz', '/metrics', '/readyz',
      '/v1/accounts/{accountId}/conversion-destinations',
      '/v1/accounts/{accountId}/conversion-destinations/{destinationId}',
      '/v1/accounts/{accountId}/conversion-destinations/{destinationId}/associations',
      '/v1/accounts/{accountId}/conversion-destinations/{destinationId}/metrics',
      '/v1/admin/accounts', '/v1/admin/accounts/{id}', '/v1/admin/api-keys', '/v1/admin/api-keys/{id}',
      '/v1/ads/conversions', '/v1/ads/conversions/actions', '/v1/ads/conversions/adjustments', '/v1/ads/conversions/quality',
      '/v1/dead-letters', '/v1/dead-letters/replay', '/v1/dead-letters/{id}', '/v1/dead-letters/{id}/replay', '/v1/deliveries/{deliveryId}', '/v1/events/{eventId}',
      '/v1/whatsapp/conversations', '/v1/whatsapp/conversations/{conversationId}', '/v1/whatsapp/conversions', '/v1/whatsapp/dataset',
      '/webhooks/whatsapp',
    ]);
  });

  it('refers only to schemas that are there, and keeps none that nothing refers to', async () => {
    const document = await readDocument();
    const referred = new Set([...JSON.stringify(document).matchAll(/#\/components\/schemas\/([^"]+)"/g)].map((match) => match[1]!));
    expect([...referred].sort()).toEqual(Object.keys(document.components.schemas).sort());
  });

  it('documents every operation with its errors, every path parameter and whether it takes an API key', async () => {
    const { paths } = await readDocument();
    for (const [path, operations] of Object.entries(paths)) {
      for (const operation of Object.values(operations)) {
        expect(operation.summary).toBeTruthy();
        expect(operation.security).toEqual(path.startsWith('/v1/') ? undefined : []);
        expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(path.startsWith('/v1/') ? ['400', '401', '403', '503'] : ['200']));
        const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
        expect((operation.parameters ?? []).filter((parameter) => parameter.in === 'path').map((parameter) => parameter.name)).toEqual(named);
      }
    }
    for (const path of ['/v1/ads/conversions', '/v1/ads/conversions/adjustments', '/v1/whatsapp/conversions']) {
      expect(paths[path]?.['post']?.parameters?.map((parameter) => parameter.name)).toEqual(['Prefer', 'Idempotency-Key']);
    }
  });
});

describe('/docs', () => {
  it('is a page that needs nothing from elsewhere', async () => {
    await using api = await openApi();
    const page = await api.call('GET', '/docs/', { headers: { authorization: '' } });
    expect(page.status).toBe(200);
    expect(page.text).not.toMatch(/(src|href)="https?:/);
    expect(page.headers['content-security-policy']).toContain("default-src 'self'");
    expect(page.headers['x-frame-options']).toBe('DENY');
    expect((await api.call('GET', '/docs/static/swagger-ui-bundle.js')).status).toBe(200);
    expect((await api.call('GET', '/docs/static/swagger-initializer.js')).text).toContain("resolveUrl('./json')");
    expect((await api.call('GET', '/docs/json')).body['openapi']).toBe('3.1.0');
  });
});
