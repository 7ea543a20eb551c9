import { type ScryptOptions, scrypt, scryptSync } from 'node:crypto';
import { importOptional, lazy } from '../../core/internal.js';
import { invalid } from '../bytes.js';
import { DecryptError } from '../decrypt-error.js';

/** scrypt (RFC 7914). The defaults are one of the settings that OWASP recommends: 32 MiB for each derivation. */
export interface ScryptSettings {
  readonly name: 'scrypt';
  /** N, a power of 2 from 2^14 to 2^20. @default 2 ** 15 */
  readonly cost?: number;
  /** r, from 8 to 16. @default 8 */
  readonly blockSize?: number;
  /** p, from 1 to 16. @default 3 */
  readonly parallelization?: number;
}

/** Argon2id (RFC 9106). It needs the package `@node-rs/argon2`. */
export interface Argon2Settings {
  readonly name: 'argon2id';
  /** From 7,168 to 1,048,576. @default 65_536 */
  readonly memoryKiB?: number;
  /** From 1 to 16. @default 3 */
  readonly iterations?: number;
  /** From 1 to 16. @default 4 */
  readonly parallelism?: number;
}

export type PasswordKdf = ScryptSettings | Argon2Settings;

export const kdfSaltBytes = 16;
/** Algorithm, three parameters (the first of 4 bytes) and the salt. */
export const kdfRecordBytes: number = 1 + 4 + 1 + 1 + kdfSaltBytes;
const keyBytes = 32;
const ids = { scrypt: 1, argon2id: 2 } as const;
const most = { cost: 2 ** 20, blockSize: 16, parallelization: 16, memoryKiB: 2 ** 20, iterations: 16, parallelism: 16 };

const argon2 = lazy(() =>
  importOptional('@node-rs/argon2', "kdf: { name: 'argon2id' }", async () => {
    try {
      return await import('@node-rs/argon2');
    } catch (error) {
      throw error as Error;
    }
  }),
);

/** A derivation in full: it is recorded with what it protects, so defaults can change. */
export interface KdfRecord {
  readonly name: 'scrypt' | 'argon2id';
  /** scrypt: N, r, p. Argon2id: memory in KiB, iterations, parallelism. */
  readonly parameters: readonly [number, number, number];
  readonly salt: Buffer;
}

/** @throws ValidationError */
export function kdfRecord(kdf: PasswordKdf, salt: Buffer): KdfRecord {
  const parameters: [number, number, number] =
    kdf.name === 'scrypt'
      ? [kdf.cost ?? 2 ** 15, kdf.blockSize ?? 8, kdf.parallelization ?? 3]
      : [kdf.memoryKiB ?? 65_536, kdf.iterations ?? 3, kdf.parallelism ?? 4];
  const record = { name: kdf.name, parameters, salt };
  if (!isAllowed(record)) throw invalid('kdf', 'has a parameter outside the documented bounds');
  return record;
}

export function encodeKdf({ name, parameters, salt }: KdfRecord): Buffer {
  const out = Buffer.alloc(kdfRecordBytes);
  out.writeUInt8(ids[name], 0);
  out.writeUInt32BE(parameters[0], 1);
  out.writeUInt8(parameters[1], 5);
  out.writeUInt8(parameters[2], 6);
  salt.copy(out, 7);
  return out;
}

/**
 * @throws DecryptError for parameters outside the bounds: whoever can change sealed data must not choose
 * how much memory and time opening it takes
 */
export function decodeKdf(bytes: Buffer, subject: string): KdfRecord {
  const name = bytes[0] === ids.scrypt ? 'scrypt' : bytes[0] === ids.argon2id ? 'argon2id' : undefined;
  if (name === undefined || bytes.length < kdfRecordBytes) throw new DecryptError(subject);
  const record: KdfRecord = {
    name,
    parameters: [bytes.readUInt32BE(1), bytes.readUInt8(5), bytes.readUInt8(6)],
    salt: Buffer.from(bytes.subarray(7, kdfRecordBytes)),
  };
  if (!isAllowed(record)) throw new DecryptError(subject);
  return record;
}

/** 32 bytes of a password, off the event loop. */
export async function deriveFromPassword(password: Buffer, record: KdfRecord, signal: AbortSignal): Promise<Buffer> {
  if (record.name === 'scrypt') {
    return new Promise((resolve, reject) => {
      scrypt(password, record.salt, keyBytes, scryptOptions(record), (error, key) =>
        error ? reject(error) : resolve(key),
      );
    });
  }
  const [memoryCost, timeCost, parallelism] = record.parameters;
  const { hashRaw } = await argon2();
  // 2 is Argon2id; the package's own name for it is a const enum, which isolated modules cannot read.
  const options = { memoryCost, timeCost, parallelism, outputLen: keyBytes, salt: record.salt, algorithm: 2 };
  return hashRaw(password, options, signal);
}

/** {@link deriveFromPassword} at once, on the calling thread; scrypt only. */
export function deriveFromPasswordSync(password: Buffer, record: KdfRecord): Buffer {
  return scryptSync(password, record.salt, keyBytes, scryptOptions(record));
}

function scryptOptions({ parameters: [cost, blockSize, parallelization] }: KdfRecord): ScryptOptions {
  return { cost, blockSize, parallelization, maxmem: 256 * cost * blockSize };
}

function isAllowed({ name, parameters: [first, second, third] }: KdfRecord): boolean {
  if (name === 'scrypt') {
    const power = Number.isInteger(Math.log2(first));
    return (
      power &&
      isWithin(first, 2 ** 14, most.cost) &&
      isWithin(second, 8, most.blockSize) &&
      isWithin(third, 1, most.parallelization)
    );
  }
  return (
    isWithin(first, 7_168, most.memoryKiB) &&
    isWithin(second, 1, most.iterations) &&
    isWithin(third, 1, most.parallelism)
  );
}

function isWithin(value: number, least: number, limit: number): boolean {
  return Number.isInteger(value) && value >= least && value <= limit;
}
