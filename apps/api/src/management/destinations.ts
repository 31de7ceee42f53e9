import { RelayError } from '@relay/contract';
import { MANAGEMENT, type CreateDestinationInput } from '@relay/platforms';
import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import { noteFacts } from '../plugins/note-facts.ts';
import { answerOf, errorAnswers, noContent } from '../schemas/error.ts';
import { NO_CREATE, NO_SINGLE, WHATSAPP } from './instead.ts';
import { accountGuard, managedAccount } from './managed-account.ts';
import { noteWarnings } from './note-warnings.ts';
import {
  accountParams,
  adAccountQuery,
  createDestinationSchema,
  deleteDestinationBody,
  destinationParams,
  destinationsSchema,
  oneDestinationSchema,
  patchDestinationSchema,
} from './schemas.ts';

type Needs = Pick<ApiDeps, 'accounts' | 'platforms' | 'runOperation'>;

const TAGS = ['Destinations'];
const PATH = '/accounts/:accountId/conversion-destinations';
/** What any call to a platform can end with. */
export const UPSTREAM = [404, 405, 422, 429, 501, 502, 504] as const;

/** A member that the guard let through is there. */
export function present<T>(member: T | undefined): T {
  if (member === undefined) throw new RelayError('not_implemented', 'This relay cannot do that on the platform of this account.');
  return member;
}

export function getDestinations(app: ApiApp, deps: Needs): void {
  const schema = {
    summary: 'List conversion destinations',
    description: 'Everything that the token of the account reaches: Meta pixels, conversion actions of Google Ads, conversion rules of LinkedIn (the inactive ones are left out).',
    tags: TAGS,
    params: accountParams,
    response: { 200: answerOf(destinationsSchema), ...errorAnswers(...UPSTREAM) },
  };
  const guard = accountGuard(deps, { in: 'params', instead: {}, insteadOfWhatsapp: WHATSAPP });
  app.get(PATH, { config: { scope: 'read' }, preValidation: guard, schema }, async (request) => {
    const account = managedAccount(request);
    const { destinations, warnings } = await deps.runOperation(account, (ctx) => MANAGEMENT[account.platform].listDestinations(ctx));
    noteWarnings(request, warnings);
    return { platform: account.platform, destinations };
  });
}

export function postDestination(app: ApiApp, deps: Needs): void {
  const schema = {
    summary: 'Create a conversion destination',
    description:
      'LinkedIn: a conversion rule; two calls make two rules. Google: an UPLOAD_CLICKS conversion action; the same name and category answers with the one that is there, the same name with another category is 409 `IDEMPOTENCY_CONFLICT`. Meta: 405.',
    tags: TAGS,
    params: accountParams,
    body: createDestinationSchema,
    response: { 200: answerOf(oneDestinationSchema, 'It was there'), 201: answerOf(oneDestinationSchema, 'Created'), ...errorAnswers(...UPSTREAM, 409, 413, 415) },
  };
  const guard = accountGuard(deps, { in: 'params', instead: NO_CREATE, insteadOfWhatsapp: WHATSAPP });
  app.post(PATH, { config: { scope: 'manage' }, preValidation: guard, schema }, async (request, reply) => {
    const account = managedAccount(request);
    const input: CreateDestinationInput = request.body;
    const { destination, created } = await deps.runOperation(account, (ctx) => present(MANAGEMENT[account.platform].createDestination)(ctx, input));
    noteFacts(request, { destinationId: destination.id, created });
    return reply.code(created ? 201 : 200).send({ platform: account.platform, destination });
  });
}

export function getDestination(app: ApiApp, deps: Needs): void {
  const schema = {
    summary: 'Read a conversion destination',
    description: 'LinkedIn: one conversion rule, also an inactive one. Other platforms: 405.',
    tags: TAGS,
    params: destinationParams,
    querystring: adAccountQuery,
    response: { 200: answerOf(oneDestinationSchema), ...errorAnswers(...UPSTREAM) },
  };
  const guard = accountGuard(deps, { in: 'params', instead: NO_SINGLE, insteadOfWhatsapp: WHATSAPP });
  app.get(`${PATH}/:destinationId`, { config: { scope: 'read' }, preValidation: guard, schema }, async (request) => {
    const account = managedAccount(request);
    const ref = { destinationId: request.params.destinationId, adAccountId: request.query.adAccountId };
    return { platform: account.platform, destination: await deps.runOperation(account, (ctx) => present(MANAGEMENT[account.platform].getDestination)(ctx, ref)) };
  });
}

export function patchDestination(app: ApiApp, deps: Needs): void {
  const schema = {
    summary: 'Change a conversion destination',
    description: 'LinkedIn: name, enabled, attribution type, windows, value type and value of a rule; never its type or ad account. Other platforms: 405.',
    tags: TAGS,
    params: destinationParams,
    body: patchDestinationSchema,
    response: { 200: answerOf(oneDestinationSchema), ...errorAnswers(...UPSTREAM, 409, 413, 415) },
  };
  const guard = accountGuard(deps, { in: 'params', instead: NO_SINGLE, insteadOfWhatsapp: WHATSAPP });
  app.patch(`${PATH}/:destinationId`, { config: { scope: 'manage' }, preValidation: guard, schema }, async (request) => {
    const account = managedAccount(request);
    const { adAccountId, ...patch } = request.body;
    const ref = { destinationId: request.params.destinationId, adAccountId };
    noteFacts(request, { destinationId: ref.destinationId });
    return { platform: account.platform, destination: await deps.runOperation(account, (ctx) => present(MANAGEMENT[account.platform].updateDestination)(ctx, ref, patch)) };
  });
}

export function deleteDestination(app: ApiApp, deps: Needs): void {
  const schema = {
    summary: 'Delete a conversion destination',
    description: 'LinkedIn: sets `enabled: false`, as rules cannot be removed. The ad account stands in the query or in a JSON body. Other platforms: 405.',
    tags: TAGS,
    params: destinationParams,
    querystring: adAccountQuery,
    body: deleteDestinationBody,
    response: { 204: noContent, ...errorAnswers(...UPSTREAM, 409, 413, 415) },
  };
  const guard = accountGuard(deps, { in: 'params', instead: NO_SINGLE, insteadOfWhatsapp: WHATSAPP });
  app.delete(`${PATH}/:destinationId`, { config: { scope: 'manage', bodyOptional: true }, preValidation: guard, schema }, async (request, reply) => {
    const account = managedAccount(request);
    const ref = { destinationId: request.params.destinationId, adAccountId: request.query.adAccountId ?? request.body?.adAccountId };
    noteFacts(request, { destinationId: ref.destinationId });
    await deps.runOperation(account, (ctx) => present(MANAGEMENT[account.platform].deleteDestination)(ctx, ref));
    return reply.code(204).send();
  });
}
