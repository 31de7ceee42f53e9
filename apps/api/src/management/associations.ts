import { MANAGEMENT } from '@relay/platforms';
import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import { noteFacts } from '../plugins/note-facts.ts';
import { answerOf, errorAnswers } from '../schemas/error.ts';
import { UPSTREAM, present } from './destinations.ts';
import { NO_ASSOCIATIONS, WHATSAPP } from './instead.ts';
import { accountGuard, managedAccount } from './managed-account.ts';
import {
  adAccountQuery,
  addAssociationsSchema,
  associationChangeSchema,
  associationsSchema,
  destinationParams,
  removeAssociationsBody,
  removeAssociationsQuery,
} from './schemas.ts';

type Needs = Pick<ApiDeps, 'accounts' | 'platforms' | 'runOperation'>;

const TAGS = ['Destinations'];
const PATH = '/accounts/:accountId/conversion-destinations/:destinationId/associations';
const GUARD = { in: 'params', instead: NO_ASSOCIATIONS, insteadOfWhatsapp: WHATSAPP } as const;

export function getAssociations(app: ApiApp, deps: Needs): void {
  const schema = {
    summary: 'List the campaigns of a destination',
    description: 'LinkedIn: a rule counts only for campaigns that it is associated with. Other platforms: 405.',
    tags: TAGS,
    params: destinationParams,
    querystring: adAccountQuery,
    response: { 200: answerOf(associationsSchema), ...errorAnswers(...UPSTREAM) },
  };
  app.get(PATH, { config: { scope: 'read' }, preValidation: accountGuard(deps, GUARD), schema }, async (request) => {
    const account = managedAccount(request);
    const ref = { destinationId: request.params.destinationId, adAccountId: request.query.adAccountId };
    return { platform: account.platform, associations: await deps.runOperation(account, (ctx) => present(MANAGEMENT[account.platform].listAssociations)(ctx, ref)) };
  });
}

export function postAssociations(app: ApiApp, deps: Needs): void {
  const schema = {
    summary: 'Associate campaigns with a destination',
    description: 'LinkedIn: each campaign succeeds or fails by itself; one that is associated already succeeds. Other platforms: 405.',
    tags: TAGS,
    params: destinationParams,
    body: addAssociationsSchema,
    response: { 200: answerOf(associationChangeSchema), ...errorAnswers(...UPSTREAM, 409, 413, 415) },
  };
  app.post(PATH, { config: { scope: 'manage' }, preValidation: accountGuard(deps, GUARD), schema }, async (request) => {
    const account = managedAccount(request);
    const { adAccountId, campaignIds } = request.body;
    const ref = { destinationId: request.params.destinationId, adAccountId };
    const change = await deps.runOperation(account, (ctx) => present(MANAGEMENT[account.platform].addAssociations)(ctx, ref, campaignIds));
    noteFacts(request, { destinationId: ref.destinationId, succeeded: change.succeeded.length, failed: change.failed.length });
    return { platform: account.platform, ...change };
  });
}

export function deleteAssociations(app: ApiApp, deps: Needs): void {
  const schema = {
    summary: 'Take campaigns off a destination',
    description: 'LinkedIn: `adAccountId` and comma-separated `campaignIds` in the query, or both in a JSON body. Each campaign succeeds or fails by itself. Other platforms: 405.',
    tags: TAGS,
    params: destinationParams,
    querystring: removeAssociationsQuery,
    body: removeAssociationsBody,
    response: { 200: answerOf(associationChangeSchema), ...errorAnswers(...UPSTREAM, 409, 413, 415) },
  };
  app.delete(PATH, { config: { scope: 'manage', bodyOptional: true }, preValidation: accountGuard(deps, GUARD), schema }, async (request) => {
    const account = managedAccount(request);
    const { query, body } = request;
    const ref = { destinationId: request.params.destinationId, adAccountId: query.adAccountId ?? body?.adAccountId };
    const campaignIds = namesIn(query.campaignIds ?? body?.campaignIds);
    const change = await deps.runOperation(account, (ctx) => present(MANAGEMENT[account.platform].removeAssociations)(ctx, ref, campaignIds));
    noteFacts(request, { destinationId: ref.destinationId, succeeded: change.succeeded.length, failed: change.failed.length });
    return { platform: account.platform, ...change };
  });
}

/** `1,2`, a list, or a list of such; a comma at the end names nothing. */
function namesIn(given: string | readonly string[] | undefined): readonly string[] {
  return [given ?? []].flat().flatMap((part) => part.split(',')).map((name) => name.trim()).filter((name) => name !== '');
}
