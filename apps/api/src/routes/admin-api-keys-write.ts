import { z } from 'zod';
import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import { keyNotFound, requireAnotherAdmin, requireCover, visibleApiKey } from '../key-authority.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { noteFacts } from '../plugins/note-facts.ts';
import { presentApiKey } from '../present.ts';
import { apiKeySchema, createApiKeySchema, createdApiKeySchema, patchApiKeySchema } from '../schemas/api-key.ts';
import { answerOf, errorAnswers, noContent } from '../schemas/error.ts';

type Needs = Pick<ApiDeps, 'apiKeys'>;

const BODY_LIMIT_BYTES = 262_144;

export function postApiKey(app: ApiApp, deps: Needs): void {
  const schema = {
    summary: 'Make an API key',
    description: 'The answer holds the key, this once.',
    tags: ['Admin'],
    body: createApiKeySchema,
    response: { 201: answerOf(createdApiKeySchema), ...errorAnswers(413, 415) },
  };
  app.post('/admin/api-keys', { config: { scope: 'admin' }, bodyLimit: BODY_LIMIT_BYTES, schema }, async (request, reply) => {
    requireCover(callerOf(request), request.body.accounts);
    const { apiKey, secret } = await deps.apiKeys.create(request.body);
    noteFacts(request, { madeApiKeyId: apiKey.id });
    return reply.code(201).header('location', `/v1/admin/api-keys/${apiKey.id}`).send({ ...presentApiKey(apiKey), key: secret });
  });
}

export function patchApiKey(app: ApiApp, deps: Needs): void {
  const schema = {
    summary: 'Change an API key',
    tags: ['Admin'],
    params: z.object({ id: z.string().max(512) }),
    body: patchApiKeySchema,
    response: { 200: answerOf(apiKeySchema), ...errorAnswers(404, 409, 413, 415) },
  };
  app.patch('/admin/api-keys/:id', { config: { scope: 'admin' }, bodyLimit: BODY_LIMIT_BYTES, schema }, async (request) => {
    const caller = callerOf(request);
    const before = await visibleApiKey(deps.apiKeys, caller, request.params.id);
    const { name = before.name, scopes = before.scopes, accounts = before.accounts } = request.body;
    requireCover(caller, accounts);
    await requireAnotherAdmin(deps.apiKeys, before, { scopes, accounts });
    const after = await deps.apiKeys.patch(before.id, { name, scopes, accounts });
    if (after === undefined) throw keyNotFound();
    noteFacts(request, { changedApiKeyId: after.id });
    return presentApiKey(after);
  });
}

export function deleteApiKey(app: ApiApp, deps: Needs): void {
  const schema = {
    summary: 'Remove an API key',
    description: 'Refused for the last key that can manage all accounts.',
    tags: ['Admin'],
    params: z.object({ id: z.string().max(512) }),
    response: { 204: noContent, ...errorAnswers(404, 409) },
  };
  app.delete('/admin/api-keys/:id', { config: { scope: 'admin' }, schema }, async (request, reply) => {
    const before = await visibleApiKey(deps.apiKeys, callerOf(request), request.params.id);
    await requireAnotherAdmin(deps.apiKeys, before, undefined);
    if (!(await deps.apiKeys.remove(before.id))) throw keyNotFound();
    noteFacts(request, { removedApiKeyId: before.id });
    return reply.code(204).send();
  });
}
