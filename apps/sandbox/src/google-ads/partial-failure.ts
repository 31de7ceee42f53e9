import { failureOf } from './errors.ts';
import type { AdsFault } from './errors.ts';

const INVALID_ARGUMENT_CODE = 3;

const pathOf = ({ location = [] }: AdsFault): string => location.map(({ fieldName, index }) => (index === undefined ? fieldName : `${fieldName}[${index}]`)).join('.');

/** `google.rpc.Status` of the rows that failed, inside a 200. */
export function partialFailure(faults: readonly AdsFault[], { version, requestId }: { readonly version: string; readonly requestId: string }) {
  const [first] = faults;
  const text = `${first?.message ?? ''}, at ${first === undefined ? '' : pathOf(first)}`;
  return {
    code: INVALID_ARGUMENT_CODE,
    message: faults.length > 1 ? `Multiple errors in ‘details’. First error: ${text}` : text,
    details: [failureOf(faults, version, requestId)],
  };
}
