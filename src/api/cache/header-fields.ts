import type { Headers } from './stored-answer.js';

/** About one connection, not about the answer (RFC 9111 section 3.1, RFC 9110 section 7.6.1). */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** About the content that is kept, which a 304 does not bring (RFC 9111 section 3.2). */
const ofContent: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-length',
  'content-md5',
  'content-range',
  'etag',
]);

/** The fields of an answer that may be stored. `age` is told anew with each use. */
export function storableFields(headers: Headers): Record<string, string> {
  const listed = (headers.connection ?? '').toLowerCase().split(/\s*,\s*/);
  const fields: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!hopByHop.has(name) && !listed.includes(name) && name !== 'age') fields[name] = value;
  }
  return fields;
}

/** The stored fields after a 304, or a HEAD, said that the answer is still right (RFC 9111 section 3.2). */
export function updatedFields(stored: Headers, update: Headers): Record<string, string> {
  const fields = storableFields(stored);
  for (const [name, value] of Object.entries(storableFields(update))) {
    if (!ofContent.has(name)) fields[name] = value;
  }
  // Of the update, not of what was stored before.
  return update.age === undefined ? fields : { ...fields, age: update.age };
}
