import { randomBytes } from 'node:crypto';
import { RelayError } from '@relay/contract';
import { z } from 'zod';
import { accountOf, requireAccess } from '../account-access.ts';
import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import { checkCredentials } from '../check-credentials.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { noteFacts } from '../plugins/note-facts.ts';
import { presentAccount } from '../present.ts';
import { accountSchema, createAccountSchema, patchAccountSchema, patchedAccountSchema } from '../schemas/account.ts';
import { answerOf, errorAnswers, noContent } from '../schemas/error.ts';
import { requireUnclaimed } from '../whatsapp/claimed-number.ts';

type Needs = Pick<ApiDeps, 'accounts' | 'platforms'>;

const GONE = 'There is no account with this id.';
/** Credentials and metadata are small. */
const BODY_LIMIT_BYTES = 262_144;

export function postAccount(app: ApiApp, deps: Needs): void {
  const schema = {
    summary: 'Add an account',
    description: 'The credentials are checked against what the platform needs and are never shown again.',
    tags: ['Admin'],
    body: createAccountSchema,
    response: { 201: answerOf(accountSchema), ...errorAnswers(409, 413, 415) },
  };
  app.post('/admin/accounts', { config: { scope: 'admin' }, bodyLimit: BODY_LIMIT_BYTES, schema }, async (request, reply) => {
    const { platform, metadata, id = `acc_${randomBytes(9).toString('hex')}` } = request.body;
    requireAccess(callerOf(request), id);
    if (platform === 'whatsapp') await requireUnclaimed(deps.accounts, callerOf(request), metadata);
    const credentials = checkCredentials(deps, platform, request.body.credentials);
    const account = await deps.accounts.create({ id, platform, credentials, metadata });
    if (account === undefined) throw new RelayError('conflict', 'There is already an account with this id. Change it with PATCH, or choose another id.', { param: 'id' });
    noteFacts(request, { accountId: id, platform });
    return reply.code(201).header('location', `/v1/admin/accounts/${id}`).send(presentAccount(account, 0));
  });
}

export function patchAccount(app: ApiApp, deps: Needs): void {
  const schema = {
    summary: 'Change an account',
    description: 'New credentials replace the old ones, make the account active and release what was held. Metadata is merged.',
    tags: ['Admin'],
    params: z.object({ id: z.string().max(512) }),
    body: patchAccountSchema,
    response: { 200: answerOf(patchedAccountSchema), ...errorAnswers(404, 409, 413, 415) },
  };
  app.patch('/admin/accounts/:id', { config: { scope: 'admin' }, bodyLimit: BODY_LIMIT_BYTES, schema }, async (request) => {
    const { credentials, metadata, status } = request.body;
    const { id, platform } = await accountOf(deps.accounts, callerOf(request), request.params.id);
    if (platform === 'whatsapp') await requireUnclaimed(deps.accounts, callerOf(request), metadata);
    const checked = credentials === undefined ? undefined : checkCredentials(deps, platform, credentials);
    const patched = await deps.accounts.patch(id, { credentials: checked, metadata, status });
    if (patched === undefined) throw new RelayError('account_not_found', GONE);
    noteFacts(request, { accountId: id, platform, releasedEvents: patched.releasedEvents });
    const heldEvents = await deps.accounts.heldEvents(id);
    return { ...presentAccount(patched.account, heldEvents), releasedEvents: patched.releasedEvents };
  });
}

export function deleteAccount(app: ApiApp, deps: Needs): void {
  const schema = {
    summary: 'Remove an account',
    description: 'Refused while events of it are pending or held.',
    tags: ['Admin'],
    params: z.object({ id: z.string().max(512) }),
    response: { 204: noContent, ...errorAnswers(404, 409) },
  };
  app.delete('/admin/accounts/:id', { config: { scope: 'admin' }, schema }, async (request, reply) => {
    const { id } = await accountOf(deps.accounts, callerOf(request), request.params.id);
    const removed = await deps.accounts.remove(id);
    if (removed === 'busy') throw new RelayError('conflict', 'The account still has pending or held events. Disable it and wait for them, or reconnect it first.');
    if (!removed) throw new RelayError('account_not_found', GONE);
    noteFacts(request, { accountId: id });
    return reply.code(204).send();
  });
}
