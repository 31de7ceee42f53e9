import { SEED } from '../seed.ts';
import type { Json, Stage } from '../linkedin/testkit.ts';

/** Builders for the tests of this folder; the stage is that of the LinkedIn emulator, which serves these routes as well. */
export { NOW_MS, aStage, anEvent, post } from '../linkedin/testkit.ts';
export type { Json, Stage } from '../linkedin/testkit.ts';

export const ACCOUNT = 'urn%3Ali%3AsponsoredAccount%3A500000001';
export const SECOND = 'urn%3Ali%3AsponsoredAccount%3A500000002';
export const VIEWER = 'urn%3Ali%3AsponsoredAccount%3A500000003';
export const FOREIGN = 'urn%3Ali%3AsponsoredAccount%3A500000099';

export const keyOf = (campaignId: string, ruleId: string) => `(campaign:urn%3Ali%3AsponsoredCampaign%3A${campaignId},conversion:urn%3Alla%3AllaPartnerConversion%3A${ruleId})`;
export const entityOf = (campaignId: string, ruleId: string) => ({ campaign: `urn:li:sponsoredCampaign:${campaignId}`, conversion: `urn:lla:llaPartnerConversion:${ruleId}` });

type Headers = Readonly<Record<string, string | undefined>>;

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly json: Json;
}

/** A header set to `undefined` is not sent. `json` is empty for an empty body. */
export async function call(stage: Stage, method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, { body, headers = {} }: { readonly body?: unknown; readonly headers?: Headers } = {}): Promise<Reply> {
  const all: Headers = {
    authorization: `Bearer ${SEED.linkedin.accessToken}`,
    'linkedin-version': '202609',
    'x-restli-protocol-version': '2.0.0',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...headers,
  };
  const present = Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
  const reply = await stage.app.inject({
    method,
    url: `/linkedin/rest/${path}`,
    headers: present,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: reply.statusCode, headers: reply.headers, text: reply.body, json: reply.body.startsWith('{') ? reply.json() : {} };
}
