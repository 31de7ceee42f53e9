import { createHmac } from 'node:crypto';

import type { FastifyRequest } from 'fastify';

import type { SandboxCore } from '../core/types.ts';
import { SEED } from '../seed.ts';
import type { WhatsappWorld } from '../whatsapp/world.ts';
import type { Refusal } from './errors.ts';
import { paramOf, tokenOf } from './params.ts';

const SEED_PIXELS: ReadonlySet<string> = new Set(SEED.meta.pixels);
const SEED_TOKENS: ReadonlySet<string | undefined> = new Set([SEED.meta.accessToken, SEED.meta.whatsapp.accessToken]);
const VERSION = /^v(\d+)\.(\d+)$/;

const oauth = (status: number, code: number, message: string, subcode?: number): Refusal =>
  subcode === undefined ? { status, type: 'OAuthException', code, message } : { status, type: 'OAuthException', code, subcode, message };

/** A switch that holds several values. */
export const listed = (text: string) => (text === '' ? [] : text.split(',').map((entry) => entry.trim()));

export const unknownPath = (rest: string): Refusal => oauth(400, 2500, `Unknown path components: /${rest}`);

export const unsupported = (method: string, id: string): Refusal => ({
  status: 400,
  type: 'GraphMethodException',
  code: 100,
  subcode: 33,
  message:
    `Unsupported ${method} request. Object with ID '${id}' does not exist, cannot be loaded due to missing permissions, or does not support ` +
    'this operation. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api',
});

/** `v25.0` is the tested target, `v26.0` exists; what is older is deprecated for the Ads API, what is newer is no path. */
export function versionRefusal(version: string, core: SandboxCore): Refusal | undefined {
  const supported = listed(core.switchOf<string>('meta.versions', 'v25.0,v26.0'));
  if (supported.includes(version)) return undefined;
  const major = Number(VERSION.exec(version)?.[1] ?? Number.NaN);
  const oldest = Math.min(...supported.map((entry) => Number(VERSION.exec(entry)?.[1] ?? 0)));
  // A path that starts with an object id is an unversioned call, which falls back to the oldest version.
  if (major < oldest || /^\d+$/.test(version)) {
    return oauth(400, 2635, '(#2635) You are calling a deprecated version of the Ads API. Please update to the latest version.');
  }
  return unknownPath(version);
}

function stateRefusal(state: 'expired' | 'revoked' | 'no_scope', core: SandboxCore): Refusal {
  const status = core.switchOf<number>('meta.tokenErrorStatus', 400);
  switch (state) {
    case 'expired':
      return oauth(status, 190, 'Error validating access token: Session has expired.', 463);
    case 'revoked': {
      const subcode = core.switchOf<number>('meta.revokedSubcode', 460);
      const message = 'Error validating access token: The session has been invalidated.';
      return subcode === 0 ? oauth(status, 190, message) : oauth(status, 190, message, subcode);
    }
    case 'no_scope':
      return core.switchOf<number>('meta.permissionCode', 200) === 10
        ? oauth(403, 10, '(#10) Application does not have permission for this action')
        : oauth(403, 200, '(#200) The permission ads_management or ads_read is required for this action');
  }
}

function tokenRefusal(token: string | undefined, core: SandboxCore): Refusal | undefined {
  const state = token === undefined ? 'unset' : core.tokenState('meta', token);
  if (state === 'valid') return undefined;
  if (state !== 'unset') return stateRefusal(state, core);
  return SEED_TOKENS.has(token) ? undefined : oauth(401, 190, 'Invalid OAuth access token - Cannot parse access token');
}

function proofRefusal(request: FastifyRequest, token: string, core: SandboxCore): Refusal | undefined {
  const appSecret = core.switchOf<string>('meta.appSecret', '');
  if (appSecret === '') return undefined;
  const proof = paramOf(request, 'appsecret_proof');
  if (proof === undefined && !core.switchOf<boolean>('meta.requireProof', true)) return undefined;
  const expected = createHmac('sha256', appSecret).update(token).digest('hex');
  if (proof === expected) return undefined;
  const message = proof === undefined ? 'API calls from the server require an appsecret_proof argument' : 'Invalid appsecret_proof provided in the API argument';
  return { status: 400, type: 'GraphMethodException', code: 100, message };
}

/** Graph's word for an id that it does not know, in a path. */
export function unknownObject(id: string, method: string): Refusal {
  return /^\d+$/.test(id) ? unsupported(method, id) : oauth(404, 803, `(#803) Some of the aliases you requested do not exist: ${id}`);
}

/** Pixels are there from the start or by switch; the datasets of WhatsApp Business Accounts once they were created. */
export function datasetRefusal(id: string, core: SandboxCore, world: WhatsappWorld): Refusal | undefined {
  if (SEED_PIXELS.has(id) || world.accountOf(id) !== undefined) return undefined;
  if (listed(core.switchOf<string>('meta.pixels', '')).includes(id)) return undefined;
  return unknownObject(id, 'post');
}

/** Version, token, proof: what is asked before the object in the path is looked up. */
export function accessRefusal(request: FastifyRequest, version: string, core: SandboxCore): Refusal | undefined {
  const token = tokenOf(request);
  return versionRefusal(version, core) ?? tokenRefusal(token, core) ?? proofRefusal(request, token ?? '', core);
}
