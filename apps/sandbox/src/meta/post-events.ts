import type { FastifyReply, FastifyRequest } from 'fastify';

import type { PoisonRule, SandboxCore } from '../core/types.ts';
import { messagingScene } from '../whatsapp/check-messaging.ts';
import type { WhatsappWorld } from '../whatsapp/world.ts';
import { accessRefusal, datasetRefusal } from './access.ts';
import { readBehaviour } from './behaviour.ts';
import type { Behaviour } from './behaviour.ts';
import { eventFault } from './check-event.ts';
import { BAD_SHAPE, errorBody, eventRefusal, futureRefusal, newTraceId, pathOf, unexpectedKey } from './errors.ts';
import type { Refusal } from './errors.ts';
import { eventsOf } from './params.ts';

export type EventsRequest = FastifyRequest<{ Params: { version: string; datasetId: string } }>;

const idOf = (event: unknown): string => {
  const id = (event as { readonly event_id?: unknown }).event_id;
  return typeof id === 'string' ? id : '';
};

/** A scripted refusal. Without an index the sender has to find the event by bisection, as with most of Meta's own errors. */
function poisonRefusal(rule: PoisonRule, index: number, behaviour: Behaviour): Refusal {
  const code = Number(rule.code ?? BAD_SHAPE);
  const text = behaviour.poisonNamesIndex ? unexpectedKey('poisoned', pathOf(index)).text : 'Invalid parameter';
  if (String(code).startsWith('2804')) return eventRefusal({ subcode: code, text }, behaviour.locale);
  return { status: 400, type: 'OAuthException', code, message: text, transient: false };
}

/** All or nothing: the first bad event answers for the whole request. */
function firstRefusal(events: readonly unknown[], core: SandboxCore, behaviour: Behaviour): Refusal | undefined {
  for (let index = 0; index < events.length; index += 1) {
    const fault = eventFault(events[index], index, behaviour);
    if (fault === 'future') return futureRefusal;
    if (fault !== undefined) return eventRefusal(fault, behaviour.locale);
    const rule = core.poison('meta', idOf(events[index]));
    if (rule !== undefined) return poisonRefusal(rule, index, behaviour);
  }
  return undefined;
}

/** `POST /{version}/{dataset}/events`. `partial` marks requests of which only the first half is to be taken. */
export function postEvents(core: SandboxCore, world: WhatsappWorld, partial: WeakSet<FastifyRequest>) {
  return (request: EventsRequest, reply: FastifyReply): unknown => {
    const { version, datasetId } = request.params;
    const traceId = newTraceId();
    let given = 0;

    function answer(status: number, body: unknown): unknown {
      core.requested({
        platform: 'meta',
        route: '/meta/:version/:datasetId/events',
        status,
        events: given,
        bytes: Number(request.headers['content-length'] ?? 0),
        tookMs: reply.elapsedTime,
      });
      return reply.code(status).header('x-fb-trace-id', traceId).header('facebook-api-version', version).send(body);
    }

    const refused = accessRefusal(request, version, core) ?? datasetRefusal(datasetId, core, world);
    if (refused !== undefined) return answer(refused.status, errorBody(refused, traceId));
    const events = eventsOf(request);
    if (!isList(events)) return answer(events.status, errorBody(events, traceId));
    given = events.length;
    const bad = firstRefusal(events, core, readBehaviour(core, messagingScene(datasetId, core, world)));
    if (bad !== undefined) return answer(bad.status, errorBody(bad, traceId));

    const taken = partial.has(request) ? events.slice(0, Math.floor(events.length / 2)) : events;
    core.accept({ platform: 'meta', traceId, events: taken.map((event) => ({ destinationId: datasetId, eventId: idOf(event) })) });
    return answer(200, { events_received: taken.length, messages: [], fbtrace_id: traceId });
  };
}

/** `Array.isArray` does not narrow a readonly list out of a union. */
const isList = (given: readonly unknown[] | Refusal): given is readonly unknown[] => Array.isArray(given);
