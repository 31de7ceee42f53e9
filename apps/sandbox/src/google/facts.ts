import type { FastifyRequest } from 'fastify';
import type { RequestFacts } from '../core/types.ts';

/** What a scripted fault can be matched on. Never throws: a broken body simply has no facts. */
export function googleFacts(request: FastifyRequest): RequestFacts {
  const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (!Buffer.isBuffer(request.body)) return { token };
  const text = request.body.toString('utf8');
  if (!text.trimStart().startsWith('{')) return { token: token ?? new URLSearchParams(text).get('refresh_token') ?? undefined };
  try {
    const body: unknown = JSON.parse(text);
    const destinationIds = listOf(body, 'destinations').map((destination) => {
      const account = memberOf(memberOf(destination, 'operatingAccount'), 'accountId');
      return `customers/${String(account)}/conversionActions/${String(memberOf(destination, 'productDestinationId'))}`;
    });
    const eventIds = listOf(body, 'events')
      .map((event) => memberOf(event, 'transactionId'))
      .filter((id) => typeof id === 'string');
    const rows = listOf(body, 'conversionAdjustments');
    const texts = (name: string) => rows.map((row) => memberOf(row, name)).filter((value) => typeof value === 'string');
    return { token, destinationIds: [...destinationIds, ...new Set(texts('conversionAction'))], eventIds: [...eventIds, ...texts('orderId')] };
  } catch {
    return { token }; // the handler is the one to refuse it
  }
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

function listOf(value: unknown, name: string): readonly unknown[] {
  const list = memberOf(value, name);
  return Array.isArray(list) ? list : [];
}
