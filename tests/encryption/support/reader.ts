import { createDecipheriv, createHash, createHmac, scryptSync, timingSafeEqual } from 'node:crypto';

/**
 * A reader of everything that is sealed, written from docs/encryption.md ("Token format") with node:crypto alone. It
 * shares no code with what is tested, and throws an ordinary Error for what the page forbids.
 */
export interface ReaderKeys {
  /** Keys of a LocalKeyring by id. */
  readonly local?: Readonly<Record<string, Uint8Array>>;
  readonly password?: string;
  /** The context of the Encryptor. */
  readonly owner?: string;
}

const len = (bytes: Uint8Array): Buffer => {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(bytes.length);
  return out;
};

export function prefixed(...parts: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array)).flatMap((part) => [len(part), part]));
}

/** RFC 5869, section 2.3. */
export function expand(key: Uint8Array, info: Uint8Array, length: number): Buffer {
  let block = Buffer.alloc(0);
  let out = Buffer.alloc(0);
  for (let i = 1; out.length < length; i++) {
    block = createHmac('sha512', key).update(block).update(info).update(Buffer.of(i)).digest();
    out = Buffer.concat([out, block]);
  }
  return out.subarray(0, length);
}

/** The bytes in a token. */
export function readToken(token: string, context: string, keys: ReaderKeys, path?: string): Buffer {
  if (!/^sf1\.[\w-]*$/.test(token)) throw new Error('no token');
  const bytes = Buffer.from(token.slice(4), 'base64url');
  if (bytes.toString('base64url') !== token.slice(4)) throw new Error('unused bits are not zero');
  return readSealed(bytes, context, keys, path);
}

/** The bytes in a sealed stream. */
export function readSealed(bytes: Buffer, context: string, keys: ReaderKeys, path?: string): Buffer {
  const [version, suite, idLength = 0] = bytes;
  if (version !== 1) throw new Error('another version');
  const idEnd = 3 + idLength;
  const wrappedEnd = idEnd + 2 + bytes.readUInt16BE(idEnd);
  const headerEnd = wrappedEnd + 4;
  const check = createHash('sha256').update(bytes.subarray(0, wrappedEnd)).digest().subarray(0, 4);
  if (!check.equals(bytes.subarray(wrappedEnd, headerEnd))) throw new Error('the header was damaged');
  const owner = keys.owner ?? '';
  const dataKey = unwrap(bytes.toString('utf8', 3, idEnd), bytes.subarray(idEnd + 2, wrappedEnd), keys);
  const header = bytes.subarray(0, headerEnd);
  const binding = prefixed(header, owner, context, ...(path === undefined ? [] : [path]));
  const body = bytes.subarray(headerEnd);
  if (suite === 2) return gcm(expand(dataKey, Buffer.from('safla/sf1/short-fields'), 32), body, binding);
  if (suite !== 1) throw new Error('another suite');
  return readChunked(dataKey, body, binding);
}

function readChunked(dataKey: Uint8Array, body: Buffer, binding: Uint8Array): Buffer {
  const info = Buffer.concat([
    Buffer.from('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0'),
    body.subarray(0, 24),
    binding,
  ]);
  const derived = expand(dataKey, info, 76);
  if (!timingSafeEqual(derived.subarray(44), body.subarray(24, 56))) throw new Error('another commitment');
  const base = BigInt(`0x${derived.toString('hex', 32, 44)}`);
  const out: Buffer[] = [];
  let at = 56;
  for (let index = 0n; ; index++) {
    const chunk = body.subarray(at, at + 16_400);
    const nonce = Buffer.from((base ^ index).toString(16).padStart(24, '0'), 'hex');
    out.push(gcm(derived.subarray(0, 32), Buffer.concat([nonce, chunk])));
    at += chunk.length;
    if (chunk.length < 16_400) return Buffer.concat(out);
  }
}

/** Nonce, ciphertext, tag. */
export function gcm(key: Uint8Array, sealed: Buffer, additional?: Uint8Array): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12), { authTagLength: 16 });
  if (additional) decipher.setAAD(additional);
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
}

function unwrap(keyId: string, wrapped: Buffer, { local, password, owner = '' }: ReaderKeys): Buffer {
  const key = local?.[keyId];
  if (key) return kwp(expand(key, prefixed('safla/keyring/wrap', owner), 32), wrapped);
  if (password === undefined) throw new Error(`no key ${keyId}`);
  const derived = fromPassword(password, wrapped.subarray(0, 23));
  return kwp(expand(derived, prefixed('safla/password/wrap', owner), 32), wrapped.subarray(23));
}

/** RFC 5649 */
function kwp(key: Uint8Array, wrapped: Uint8Array): Buffer {
  const decipher = createDecipheriv('id-aes256-wrap-pad', key, Buffer.from('a65959a6', 'hex'));
  return Buffer.concat([decipher.update(wrapped), decipher.final()]);
}

/** Of the 23 bytes that say how. */
export function fromPassword(password: string, how: Buffer): Buffer {
  if (how[0] !== 1) throw new Error('not scrypt');
  const [N, r, p] = [how.readUInt32BE(1), how.readUInt8(5), how.readUInt8(6)];
  return scryptSync(password.normalize('NFC'), how.subarray(7), 32, { N, r, p, maxmem: 256 * N * r });
}

/** A field value: JSON, and what JSON lacks as `{"$": kind, "v": value}`. */
export function readValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(readValue);
  if (!('$' in value)) return members(value);
  const { $: kind, v } = value as { $: string; v?: unknown };
  if (kind === 'undefined') return undefined;
  if (kind === 'number') return Number(v);
  if (kind === 'bigint') return BigInt(String(v));
  if (kind === 'date') return new Date(Number(readValue(v)));
  if (kind === 'buffer' || kind === 'bytes') return Buffer.from(String(v), 'base64url');
  if (kind === 'map')
    return new Map((v as [unknown, unknown][]).map(([key, member]) => [readValue(key), readValue(member)]));
  if (kind === 'set') return new Set((v as unknown[]).map(readValue));
  if (kind === 'object') return members(v as object);
  throw new Error(`another kind: ${kind}`);
}

function members(value: object): object {
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, readValue(member)]));
}
