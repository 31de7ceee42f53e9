import type { FastifyRequest } from 'fastify';
import type { RequestFacts } from '../core/types.ts';
import { ruleIdOf } from './rules.ts';

/** What a scripted fault can be matched on. Never throws: a broken body simply has no facts. */
export function linkedinFacts(request: FastifyRequest): RequestFacts {
  const facts = bodyFacts(request);
  const named = idsInUrl(request.url);
  return named.length === 0 ? facts : { ...facts, destinationIds: [...(facts.destinationIds ?? []), ...named] };
}

/** Rules, ad accounts and campaigns that the address of a management call names; all of them count as destinations. */
function idsInUrl(url: string): readonly string[] {
  const found = url.matchAll(/(?:\/conversions\/|\/adAccounts\/|(?:llaPartnerConversion|sponsoredAccount|sponsoredCampaign)(?:%3A|:))(\d+)/gi);
  return [...new Set([...found].map((match) => match[1] ?? ''))];
}

function bodyFacts(request: FastifyRequest): RequestFacts {
  const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (!Buffer.isBuffer(request.body)) return { token };
  const text = request.body.toString('utf8');
  if (!text.trimStart().startsWith('{')) return { token: token ?? new URLSearchParams(text).get('refresh_token') ?? undefined };
  try {
    const body: unknown = JSON.parse(text);
    const elements = memberOf(body, 'elements');
    const events: readonly unknown[] = Array.isArray(elements) ? elements : [body];
    const urns = new Set(events.map((event) => memberOf(event, 'conversion')).filter((urn) => typeof urn === 'string'));
    return {
      token,
      destinationIds: [...urns].map((urn) => ruleIdOf(urn) ?? urn),
      eventIds: events.map((event) => memberOf(event, 'eventId')).filter((id) => typeof id === 'string'),
    };
  } catch {
    return { token }; // the handler is the one to refuse it
  }
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
