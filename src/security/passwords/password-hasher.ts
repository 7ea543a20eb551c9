import { toUSVString } from 'node:util';
import { type CallOptions, ConfigurationError, openScope, ValidationError } from '../../core/index.js';
import { checkOptions, is, type OptionCheck, type OptionChecks } from '../../core/internal.js';
import { Bulkhead } from '../../resilience/bulkhead.js';
import { type Argon2Options, Argon2Scheme } from './argon2-scheme.js';
import { BcryptScheme } from './bcrypt-scheme.js';
import type { PasswordScheme } from './password-scheme.js';
import { type PepperOptions, Peppers } from './pepper.js';

/** Settings of {@link PasswordHasher}. */
export interface PasswordHasherOptions {
  /** How new hashes are made; stored ones of both kinds are checked. argon2id needs `@node-rs/argon2`. @default 'bcrypt' */
  readonly algorithm?: 'bcrypt' | 'argon2id';
  /** The cost of bcrypt, from 10 to 18: one more takes twice as long. @default 12 */
  readonly cost?: number;
  readonly argon2?: Argon2Options;
  /** A secret outside of the database. Hashes without it are checked on, and `needsRehash`. @default none */
  readonly pepper?: PepperOptions;
  /** Peppers of stored hashes that are not renewed yet. */
  readonly previousPeppers?: readonly PepperOptions[];
  /** Hashes that run at once. They hold threads of Node's pool of 4, which files and DNS wait for. @default 2 */
  readonly maxConcurrent?: number;
  /** Hashes that wait; further ones reject with QueueFullError. @default 1000 */
  readonly maxQueue?: number;
  /** Longer passwords are refused, in UTF-8 bytes. @default 4096 */
  readonly maxBytes?: number;
  /**
   * Accepts, for plain bcrypt hashes of older code, a password longer than 72 bytes of which only the first 72
   * are compared; it then `needsRehash`. @default false
   */
  readonly acceptTruncated?: boolean;
}

/** What a password proved to be. */
export interface PasswordCheck {
  readonly ok: boolean;
  /** True when it is right and should be hashed anew now: other settings, scheme, pepper or spelling. */
  readonly needsRehash: boolean;
}

/** What {@link PasswordHasher.calibrate} found. */
export interface Calibration {
  /** For `cost` with bcrypt, for `argon2.passes` with argon2id. */
  readonly value: number;
  /** What one hash takes then, in milliseconds. */
  readonly expectedMs: number;
}

const costCheck: OptionCheck = (value, field) => {
  is.count(value, field);
  if ((value as number) < 10 || (value as number) > 18)
    throw new ConfigurationError(`${field} must be a whole number from 10 to 18, got ${value}`, { field });
};

const within =
  (most: number): OptionCheck =>
  (value, field) => {
    is.count(value, field);
    if ((value as number) > most) throw new ConfigurationError(`${field} must be at most ${most}`, { field });
  };

const optionChecks: OptionChecks<PasswordHasherOptions> = {
  algorithm: is.oneOf('bcrypt', 'argon2id'),
  cost: costCheck,
  argon2: is.options<Argon2Options>({ memoryKiB: within(1_048_576), passes: within(64), parallelism: within(255) }),
  pepper: is.object,
  previousPeppers: is.list,
  maxConcurrent: is.count,
  maxQueue: is.countOrZero,
  maxBytes: is.count,
  acceptTruncated: is.flag,
};

/**
 * Hashes passwords so that all of each one counts, whatever keyboard it came from (NFC), and tells when a stored
 * hash is out of date. A user who does not exist takes as long as a wrong password: pass null as the hash.
 *
 * @throws ConfigurationError
 * @example
 * const { ok, needsRehash } = await passwords.verify(password, user?.hash ?? null);
 * if (ok && needsRehash) await save(user.id, await passwords.hash(password));
 */
export class PasswordHasher {
  readonly #scheme: PasswordScheme;
  readonly #schemes: readonly PasswordScheme[];
  readonly #peppers: Peppers;
  readonly #places: Bulkhead;
  readonly #maxBytes: number;
  readonly #argon2: Argon2Options;
  readonly #isBcrypt: boolean;
  readonly #dummy: string;

  constructor(options: PasswordHasherOptions = {}) {
    checkOptions('PasswordHasher', options, optionChecks);
    const bcrypt = new BcryptScheme(options.cost ?? 12, options.acceptTruncated ?? false);
    this.#argon2 = { ...options.argon2 };
    const argon2 = new Argon2Scheme(this.#argon2);
    this.#isBcrypt = options.algorithm !== 'argon2id';
    this.#scheme = this.#isBcrypt ? bcrypt : argon2;
    this.#schemes = [bcrypt, argon2];
    this.#peppers = new Peppers(options.pepper, options.previousPeppers ?? []);
    const { maxConcurrent = 2, maxQueue } = options;
    this.#places = new Bulkhead('password hashes', { maxConcurrent, ...(maxQueue !== undefined && { maxQueue }) });
    this.#maxBytes = options.maxBytes ?? 4_096;
    this.#dummy = this.#scheme.dummy();
  }

  /**
   * @throws ValidationError for an empty or too long password, or one that is no well-formed text;
   * QueueFullError; MissingDependencyError
   */
  async hash(password: string, options: CallOptions = {}): Promise<string> {
    this.#check(password);
    const text = this.#peppers.apply(password.normalize('NFC'), this.#peppers.current);
    return this.#run('hash of a password', options, async () => this.#peppers.mark(await this.#scheme.hash(text)));
  }

  /**
   * @param stored null or undefined for a user who does not exist: then not ok, after the same work
   * @throws ValidationError for a stored text that is no hash, which is a fault of the database, not of the password
   */
  async verify(password: string, stored: string | null | undefined, options: CallOptions = {}): Promise<PasswordCheck> {
    const { id, inner } = this.#peppers.split(stored ?? this.#peppers.mark(this.#dummy));
    const scheme = this.#schemes.find((one) => typeof inner === 'string' && one.owns(inner));
    if (!scheme) {
      const message = 'is none of bcrypt or argon2id, or costs more than is allowed';
      throw new ValidationError('stored password hash', [{ path: [], message }]);
    }
    if (!this.#accepts(password)) return { ok: false, needsRehash: false };
    const composed = password.normalize('NFC');
    return this.#run('check of a password', options, async () => {
      let ok = await scheme.verify(this.#peppers.apply(composed, id), inner);
      let needsRehash = scheme !== this.#scheme || id !== this.#peppers.current || scheme.isOutdated(inner);
      if (!ok && composed !== password) {
        // Stored by code that did not normalise.
        ok = await scheme.verify(this.#peppers.apply(password, id), inner);
        needsRehash = true;
      }
      const known = ok && stored !== null && stored !== undefined;
      return { ok: known, needsRehash: known && (needsRehash || isTruncated(composed, inner)) };
    });
  }

  /**
   * Measures this machine: the cost of bcrypt, at least 10, or the passes of argon2id, at least 2, with which one
   * hash takes at most `targetMs` milliseconds. It holds one thread for about a second. Changes nothing by itself.
   */
  async calibrate(targetMs: number, options: CallOptions = {}): Promise<Calibration> {
    is.milliseconds(targetMs, 'targetMs');
    return this.#run('calibration of password hashes', options, () =>
      this.#isBcrypt ? calibrateBcrypt(targetMs) : calibrateArgon2(targetMs, this.#argon2),
    );
  }

  async #run<T>(subject: string, options: CallOptions, work: () => Promise<T>): Promise<T> {
    using scope = openScope(subject, options);
    scope.throwIfCancelled();
    await this.#places.enter(scope);
    // A thread works on when the caller has left, so its place is given up with the work.
    const working = work().finally(() => this.#places.leave());
    return await scope.run(() => working);
  }

  #accepts(password: unknown): boolean {
    if (typeof password !== 'string' || password === '' || toUSVString(password) !== password) return false;
    return Buffer.byteLength(password) <= this.#maxBytes;
  }

  #check(password: string): void {
    if (this.#accepts(password)) return;
    const message = `must be a well-formed text of 1 to ${this.#maxBytes} bytes`;
    throw new ValidationError('password', [{ path: [], message }]);
  }
}

function isTruncated(password: string, inner: string): boolean {
  return inner.startsWith('$2') && Buffer.byteLength(password) > 72;
}

async function calibrateBcrypt(targetMs: number): Promise<Calibration> {
  const probe = 8;
  const ms = await fastest(() => new BcryptScheme(probe, false).hash('calibration'));
  let value = 10;
  while (value < 18 && ms * 2 ** (value + 1 - probe) <= targetMs) value++;
  return { value, expectedMs: ms * 2 ** (value - probe) };
}

async function calibrateArgon2(targetMs: number, settings: Argon2Options): Promise<Calibration> {
  const once = await fastest(() => new Argon2Scheme({ ...settings, passes: 1 }).hash('calibration'));
  const thrice = await fastest(() => new Argon2Scheme({ ...settings, passes: 3 }).hash('calibration'));
  const pass = Math.max((thrice - once) / 2, 0.01);
  const value = Math.min(64, Math.max(2, Math.floor((targetMs - once) / pass) + 1));
  return { value, expectedMs: once + pass * (value - 1) };
}

/** The fastest of five: what else the machine does can only add. */
async function fastest(work: () => Promise<unknown>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    await work();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}
