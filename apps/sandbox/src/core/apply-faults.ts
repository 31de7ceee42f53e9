import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import type { Fault, FaultStore } from './faults.ts';
import type { CannedReply, Emulator, RequestFacts, SandboxCore } from './types.ts';

const HTML_PAGE = '<!DOCTYPE html>\n<html><head><title>Error</title></head><body><h1>Sorry, something went wrong.</h1></body></html>\n';

type AfterFault = Extract<Fault, { kind: 'reset' | 'trickle' | 'truncate' }>;

/** In the socket's own terms a reset is what a dying load balancer sends: RST, no answer. */
function cutConnection(request: FastifyRequest): void {
  const { socket } = request.raw;
  if (typeof socket.resetAndDestroy === 'function') socket.resetAndDestroy();
  else socket.destroy();
}

function bearerOnly(request: FastifyRequest): RequestFacts {
  const header = request.headers.authorization;
  return header?.startsWith('Bearer ') === true ? { token: header.slice('Bearer '.length) } : {};
}

function platformReply(emulator: Emulator, fault: Extract<Fault, { kind: 'rate_limit' | 'unavailable' }>): CannedReply {
  const reply = emulator.faultReply?.({ kind: fault.kind, variant: fault.variant, options: fault.options });
  return reply ?? notEmulated(`${emulator.platform} has no ${fault.kind} variant ${fault.variant ?? '(default)'}`);
}

/** Visible at once in a test that misspelt a variant; no platform answers like this. */
const notEmulated = (sandboxError: string): CannedReply => ({ status: 501, body: { sandboxError } });

/** The answer of a fault that speaks in the handler's place. */
function cannedReply(emulator: Emulator, fault: Fault): CannedReply | undefined {
  if (fault.kind === 'status') return { status: fault.status, headers: fault.headers ?? {}, body: fault.body ?? '' };
  if (fault.kind === 'html') return { status: fault.status, headers: { 'content-type': 'text/html; charset=utf-8' }, body: HTML_PAGE };
  if (fault.kind === 'rate_limit' || fault.kind === 'unavailable') return platformReply(emulator, fault);
  if (fault.kind === 'partial' && emulator.markPartial === undefined) return notEmulated(`${emulator.platform} acknowledges no number of events`);
  return undefined;
}

async function* byteByByte(payload: Buffer, msPerByte: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < payload.length; at += 1) {
    await delay(msPerByte);
    yield payload.subarray(at, at + 1);
  }
}

/** Puts the scripted faults around one emulator's handlers: the only place where faults are applied. */
export function applyFaults(scope: FastifyInstance, emulator: Emulator, core: SandboxCore, faults: FaultStore): void {
  const afterwards = new WeakMap<FastifyRequest, AfterFault>();

  function note(request: FastifyRequest, reply: FastifyReply, status: number): void {
    core.requested({
      platform: emulator.platform,
      route: request.routeOptions.url ?? request.url,
      status,
      events: 0,
      bytes: Number(request.headers['content-length'] ?? 0),
      tookMs: reply.elapsedTime,
    });
  }

  function strike(fault: Fault, request: FastifyRequest, reply: FastifyReply, proceed: () => void): void {
    const canned = cannedReply(emulator, fault);
    if (canned !== undefined) {
      note(request, reply, canned.status);
      reply.code(canned.status).headers(canned.headers ?? {});
      if (typeof canned.body === 'string' && !reply.hasHeader('content-type')) reply.type('text/plain');
      void reply.send(canned.body);
      return;
    }
    if (fault.kind === 'hang' || (fault.kind === 'reset' && fault.when === 'before')) {
      note(request, reply, 0);
      reply.hijack();
      if (fault.kind === 'reset') cutConnection(request);
      return;
    }
    if (fault.kind === 'partial') emulator.markPartial?.(request);
    if (fault.kind === 'reset' || fault.kind === 'trickle' || fault.kind === 'truncate') afterwards.set(request, fault);
    proceed();
  }

  scope.addHook('preHandler', (request, reply, done) => {
    if (!faults.any(emulator.platform)) {
      done();
      return;
    }
    let facts: RequestFacts | undefined;
    const path = request.url.split('?', 1)[0] ?? '';
    const taken = faults.take(emulator.platform, path, () => (facts ??= emulator.facts?.(request) ?? bearerOnly(request)));
    const waitMs = taken.reduce((sum, fault) => sum + (fault.kind === 'latency' ? fault.ms : 0), 0);
    const last = taken.at(-1);
    const act = () => (last === undefined ? done() : strike(last, request, reply, done));
    // A slow platform finishes what it was sent, whether or not the client still listens.
    if (waitMs > 0) setTimeout(act, waitMs);
    else act();
  });

  scope.addHook('onSend', (request, reply, payload, done) => {
    const fault = afterwards.get(request);
    if (fault === undefined) {
      done(null, payload);
      return;
    }
    const bytes = Buffer.from(typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : '');
    if (fault.kind === 'reset') {
      cutConnection(request);
      done(null, payload);
    } else if (fault.kind === 'truncate') {
      reply.removeHeader('content-length');
      done(null, bytes.subarray(0, Math.floor(bytes.length / 2)));
    } else {
      reply.header('content-length', bytes.length);
      done(null, Readable.from(byteByByte(bytes, fault.msPerByte), { objectMode: false }));
    }
  });
}
