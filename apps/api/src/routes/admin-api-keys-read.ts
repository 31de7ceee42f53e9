import { z } from 'zod';
import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import { covers, visibleApiKey } from '../key-authority.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { presentApiKey } from '../present.ts';
import { apiKeySchema, apiKeysSchema } from '../schemas/api-key.ts';
import { answerOf, errorAnswers } from '../schemas/error.ts';

export function getApiKeys(app: ApiApp, deps: Pick<ApiDeps, 'apiKeys'>): void {
  const schema = { summary: 'API keys', tags: ['Admin'], response: { 200: answerOf(apiKeysSchema), ...errorAnswers() } };
  app.get('/admin/api-keys', { config: { scope: 'admin' }, schema }, async (request) => {
    const { accounts } = callerOf(request);
    const visible = (await deps.apiKeys.list()).filter((apiKey) => covers(accounts, apiKey.accounts));
    return { apiKeys: visible.map(presentApiKey) };
  });
}

export function getApiKey(app: ApiApp, deps: Pick<ApiDeps, 'apiKeys'>): void {
  const schema = {
    summary: 'One API key',
    description: 'The key itself is never shown again.',
    tags: ['Admin'],
    params: z.object({ id: z.string().max(512) }),
    response: { 200: answerOf(apiKeySchema), ...errorAnswers(404) },
  };
  app.get('/admin/api-keys/:id', { config: { scope: 'admin' }, schema }, async (request) =>
    presentApiKey(await visibleApiKey(deps.apiKeys, callerOf(request), request.params.id)),
  );
}
