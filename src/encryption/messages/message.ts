import { openWhole } from '../chunked/chunked-opener.js';
import { sealWhole } from '../chunked/chunked-sealer.js';
import type { DataKey } from '../keys/data-key.js';
import { type SealedHeader, type SuiteName, suites } from '../sealed-header.js';
import { openShort, sealShort } from './short-message.js';
import { tokenOf } from './token-text.js';

/** What sealed data with this header is bound to. */
export type Bind = (header: Buffer) => Buffer;

/** A message as a token, at once. */
export function sealMessage(key: DataKey, bytes: Buffer, format: SuiteName, bind: Bind): string {
  const header = key.header(suites[format]);
  const binding = bind(header);
  const body = format === 'short' ? sealShort(key.short, binding, bytes) : sealWhole(key.chunked, binding, bytes);
  return tokenOf([header, ...body]);
}

/** The message in the bytes of a token, at once. @throws DecryptError */
export function openMessage(key: DataKey, sealed: Buffer, header: SealedHeader, bind: Bind): Buffer {
  const binding = bind(header.bytes);
  const body = sealed.subarray(header.bytes.length);
  if (header.suite === suites.short) return openShort(key.short, binding, body, 'the token');
  const parts = openWhole(key.chunked, binding, body, 'the token');
  const [only] = parts;
  return only && parts.length === 1 ? only : Buffer.concat(parts);
}
