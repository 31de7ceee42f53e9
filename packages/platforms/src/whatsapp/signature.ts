import { createHmac, timingSafeEqual } from 'node:crypto';

const SIGNATURE = /^sha256=([0-9a-f]{64})$/i;

/**
 * Whether `X-Hub-Signature-256` is the app's: HMAC-SHA256 under the app secret over the bytes as they came, since Meta signs
 * its own (escaped) spelling of the JSON. In constant time. A missing header or an empty secret is never right.
 * https://developers.facebook.com/docs/graph-api/webhooks/getting-started (read 2026-09-12)
 */
export function verifySignature(rawBody: Uint8Array, header: string | undefined, appSecret: string): boolean {
  const hex = header === undefined ? undefined : SIGNATURE.exec(header.trim())?.[1];
  if (hex === undefined || appSecret === '') return false;
  return timingSafeEqual(Buffer.from(hex, 'hex'), createHmac('sha256', appSecret).update(rawBody).digest());
}
