import type { FastifyReply, FastifyRequest } from 'fastify';

import type { SandboxCore } from '../core/types.ts';
import { accessRefusal, listed, unknownObject } from '../meta/access.ts';
import { badParameter, errorBody, newTraceId } from '../meta/errors.ts';
import type { Refusal } from '../meta/errors.ts';
import { SEED } from '../seed.ts';
import type { WhatsappWorld } from './world.ts';

const ROUTE = '/meta/:version/:datasetId/dataset';

/** `GET` and `POST /{version}/{waba}/dataset`: what is there; the one that is there, else a new one. */
export function datasetEdge(core: SandboxCore, world: WhatsappWorld) {
  return (request: FastifyRequest, reply: FastifyReply): unknown => {
    // The parameter is named as on `events`, so that faults match it: it is the account's id.
    const { version, datasetId: wabaId } = request.params as { readonly version: string; readonly datasetId: string };
    const traceId = newTraceId();

    function answer(status: number, body: unknown): unknown {
      core.requested({ platform: 'meta', route: ROUTE, status, events: 0, bytes: Number(request.headers['content-length'] ?? 0), tookMs: reply.elapsedTime });
      return reply.code(status).header('x-fb-trace-id', traceId).header('facebook-api-version', version).send(body);
    }

    const refused = accessRefusal(request, version, core) ?? accountRefusal(wabaId, request.method, core) ?? scopeRefusal(core);
    if (refused !== undefined) return answer(refused.status, errorBody(refused, traceId));
    if (request.method === 'GET') return answer(200, listing(world.datasetOf(wabaId), core));
    if (core.switchOf<boolean>('meta.unverifiedBusiness', false)) return answer(400, errorBody(badParameter('Invalid parameter'), traceId));
    return answer(200, { id: world.createDataset(wabaId) });
  };
}

function listing(datasetId: string | undefined, core: SandboxCore): unknown {
  if (datasetId === undefined) return { data: [] };
  if (core.switchOf<boolean>('meta.bareDataset', false)) return { id: datasetId };
  return { data: [{ id: datasetId, name: 'Sandbox CTWA dataset' }], paging: { cursors: { before: 'QVFI', after: 'QVFI' } } };
}

function accountRefusal(wabaId: string, method: string, core: SandboxCore): Refusal | undefined {
  const isKnown = wabaId === SEED.meta.whatsapp.wabaId || listed(core.switchOf<string>('meta.wabas', '')).includes(wabaId);
  return isKnown ? undefined : unknownObject(wabaId, method.toLowerCase());
}

function scopeRefusal(core: SandboxCore): Refusal | undefined {
  if (!core.switchOf<boolean>('meta.noManageEvents', false)) return undefined;
  const code = core.switchOf<number>('meta.permissionCode', 200) === 10 ? 10 : 200;
  return { status: 403, type: 'OAuthException', code, message: `(#${code}) Requires whatsapp_business_manage_events permission to manage the object` };
}
