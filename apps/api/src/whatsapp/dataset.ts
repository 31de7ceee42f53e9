import { RelayError } from '@relay/contract';
import type { Account } from '@relay/delivery';
import { datasetCreateRequest, datasetGetRequest, readDatasetReply, type DatasetReply, type DatasetTrouble } from '@relay/platforms';
import { z } from 'zod';
import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { noteFacts } from '../plugins/note-facts.ts';
import { answerOf, errorAnswers } from '../schemas/error.ts';
import { callPlatform } from './meta-call.ts';
import { datasetSchema } from './schemas.ts';
import { accessTokenOf, metadataText, requireUsable, whatsappAccountOf } from './whatsapp-account.ts';

type Needs = Pick<ApiDeps, 'accounts' | 'endpoints' | 'send' | 'locks'>;

/** Two calls to Meta within their deadlines, and some room. */
const LOCK_MS = 90_000;

export function getDataset(app: ApiApp, deps: Needs): void {
  const schema = {
    summary: 'Read the dataset of a WhatsApp account',
    description: 'From the account; never calls Meta. `datasetId` is null before it was provisioned.',
    tags: ['WhatsApp'],
    querystring: z.object({ accountId: z.string().min(1).max(512) }),
    response: { 200: answerOf(datasetSchema), ...errorAnswers(404, 405) },
  };
  app.get('/whatsapp/dataset', { config: { scope: 'read' }, schema }, async (request) => {
    const account = await whatsappAccountOf(deps, callerOf(request), request.query.accountId);
    return { datasetId: metadataText(account, 'metaCapiDatasetId') ?? null };
  });
}

export function postDataset(app: ApiApp, deps: Needs): void {
  const schema = {
    summary: 'Provision the dataset of a WhatsApp account',
    description: 'Looks first and creates only what is missing; `created` is true only when this call created it.',
    tags: ['WhatsApp'],
    body: z.object({ accountId: z.string().min(1).max(512) }),
    response: { 200: answerOf(datasetSchema), ...errorAnswers(404, 405, 409, 413, 415, 422, 429, 502, 504) },
  };
  app.post('/whatsapp/dataset', { config: { scope: 'manage' }, schema }, async (request) => {
    const account = await whatsappAccountOf(deps, callerOf(request), request.body.accountId);
    requireUsable(account);
    // One caller at a time, so that "created" is true for exactly one of those that race.
    const provisioned = await deps.locks.run(`dataset:${account.id}`, LOCK_MS, () => provision(deps, account));
    noteFacts(request, { accountId: account.id, datasetId: provisioned.datasetId, created: provisioned.created });
    return provisioned;
  });
}

async function provision(deps: Needs, account: Account): Promise<{ datasetId: string; created: boolean }> {
  const wabaId = metadataText(account, 'wabaId');
  if (wabaId === undefined) {
    throw new RelayError('prerequisite_missing', 'The account has no WhatsApp Business Account id. Set metadata.wabaId with PATCH /v1/admin/accounts/{id}.', { param: 'accountId', details: { missing: 'wabaId' } });
  }
  const token = accessTokenOf(account);
  const found = readDatasetReply(await callPlatform(deps.send, datasetGetRequest(wabaId, token, deps.endpoints), 'whatsapp'), token);
  const created = found.kind === 'none';
  const reply = created ? readDatasetReply(await callPlatform(deps.send, datasetCreateRequest(wabaId, token, deps.endpoints), 'whatsapp'), token) : found;
  const datasetId = datasetIdOf(reply);
  if (metadataText(account, 'metaCapiDatasetId') !== datasetId) await deps.accounts.patch(account.id, { metadata: { metaCapiDatasetId: datasetId } });
  return { datasetId, created };
}

function datasetIdOf(reply: DatasetReply): string {
  switch (reply.kind) {
    case 'found':
      return reply.datasetId;
    case 'none':
      throw new RelayError('platform_unavailable', 'Meta did not create the dataset and did not say why. Try again later.', { platform: 'whatsapp' });
    case 'refused':
      throw new RelayError('platform_refused', sentence(reply), { platform: 'whatsapp', platformError: reply.platformError, details: { code: reply.code } });
    case 'retry':
      throw new RelayError(reply.reason === 'rate_limited' ? 'platform_rate_limited' : 'platform_unavailable', sentence(reply), {
        platform: 'whatsapp',
        platformError: reply.platformError,
        details: { code: reply.code },
        retryAfterSeconds: Math.ceil((reply.afterMs ?? 5_000) / 1000),
      });
  }
}

function sentence({ message, fix }: DatasetTrouble): string {
  return fix === undefined ? `Meta refused: ${message}` : `Meta refused: ${message} ${fix}`;
}
