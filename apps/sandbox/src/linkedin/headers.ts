import type { Answer, RawRequest } from './answer.ts';
import { missingVersion, refuse, unknownVersion } from './error-bodies.ts';
import type { LinkedinSettings } from './settings.ts';

export type RestMethod = 'CREATE' | 'BATCH_CREATE';

/** Version and protocol, which every versioned call needs; a refusal if one is missing or unknown. */
export function readVersion({ headers }: RawRequest, settings: LinkedinSettings): { readonly version: number } | { readonly refusal: Answer } {
  const version = headerOf(headers['linkedin-version']);
  if (version === '') return { refusal: refuse(missingVersion(settings.missingVersionStatus)) };
  if (!isActive(version, settings)) return { refusal: refuse(unknownVersion(version)) };
  const protocol = headerOf(headers['x-restli-protocol-version']);
  if (settings.requireProtocolVersion && protocol !== '2.0.0') {
    return { refusal: refuse({ status: 400, message: `Rest.li protocol version '${protocol}' is not supported` }) };
  }
  return { version: Number(version) };
}

/** The headers of the conversion events route. */
export function readHeaders(
  request: RawRequest,
  settings: LinkedinSettings,
): { readonly version: number; readonly method: RestMethod } | { readonly refusal: Answer } {
  const { headers } = request;
  const read = readVersion(request, settings);
  if ('refusal' in read) return read;
  if (!/^application\/json\b/i.test(headers['content-type'] ?? '')) return { refusal: refuse({ status: 415, message: 'Unsupported media type' }) };
  const method = headerOf(headers['x-restli-method']).toUpperCase() || 'CREATE';
  if (method !== 'CREATE' && method !== 'BATCH_CREATE') return { refusal: refuse({ status: 400, message: `Method ${method} is not supported by this resource` }) };
  return { ...read, method };
}

function isActive(version: string, { oldestVersion, newestVersion }: LinkedinSettings): boolean {
  if (!/^\d{4}(?:0[1-9]|1[0-2])$/.test(version)) return false;
  return Number(version) >= oldestVersion && Number(version) <= newestVersion;
}

export function headerOf(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value[0] : value)?.trim() ?? '';
}
