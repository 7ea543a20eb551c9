import { ValidationError } from '../../core/index.js';

const maxIdBytes = 1_024;

/** @throws ValidationError unless `id` is a text of 1 to 1024 bytes in UTF-8 */
export function assertId(id: unknown, call: string): asserts id is string {
  if (typeof id === 'string' && id !== '' && id.length <= maxIdBytes && Buffer.byteLength(id) <= maxIdBytes) return;
  throw new ValidationError(call, [{ path: ['id'], message: `must be a text of 1 to ${maxIdBytes} bytes` }]);
}

/** @throws ValidationError unless `limit` is a whole number, 1 or more, or Infinity */
export function assertLimit(limit: unknown): asserts limit is number {
  if (limit === Number.POSITIVE_INFINITY || (Number.isInteger(limit) && (limit as number) >= 1)) return;
  throw new ValidationError('search', [{ path: ['limit'], message: 'must be a whole number, 1 or more, or Infinity' }]);
}

/** @throws ValidationError unless `threshold` is a number */
export function assertThreshold(threshold: unknown): asserts threshold is number {
  if (typeof threshold === 'number' && !Number.isNaN(threshold)) return;
  throw new ValidationError('search', [{ path: ['threshold'], message: 'must be a number' }]);
}

/**
 * A copy that the caller cannot change.
 *
 * @throws ValidationError for anything but an object, and for what cannot be copied, such as functions
 */
export function copyMetadata(metadata: unknown, call: string): Record<string, unknown> | undefined {
  if (metadata === undefined) return undefined;
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    throw new ValidationError(call, [{ path: ['metadata'], message: 'must be an object' }]);
  }
  try {
    return structuredClone(metadata) as Record<string, unknown>;
  } catch (cause) {
    const message = 'cannot be copied: it holds a function or something else that is not data';
    throw new ValidationError(call, [{ path: ['metadata'], message }], { cause });
  }
}
