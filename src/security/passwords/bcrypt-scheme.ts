import { createHmac, randomBytes } from 'node:crypto';
import { lazy } from '../../core/internal.js';
import type { PasswordScheme } from './password-scheme.js';

const loadBcrypt = lazy(() => import('bcrypt'));

/** bcrypt reads no further; the rest of a longer password would not count. */
const maxBcryptBytes = 72;

const plain = /^\$2([aby])\$(\d\d)\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/;
/** passlib's `bcrypt_sha256`, version 2, which keys the hash before bcrypt with the salt. */
const prehashed = /^\$bcrypt-sha256\$v=2,t=2b,r=(\d{1,2})\$([./A-Za-z0-9]{22})\$([./A-Za-z0-9]{31})$/;

/** More would hold a thread for minutes: a planted hash must not do that. */
const maxCost = 18;
const alphabet = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/**
 * bcrypt, as `$2b$` where the password fits into it, else as passlib's `$bcrypt-sha256$v=2`: HMAC-SHA-256 under the
 * salt, in base64, then bcrypt. No byte of a long password is ignored, and a zero byte ends nothing.
 */
export class BcryptScheme implements PasswordScheme {
  readonly #cost: number;
  readonly #acceptTruncated: boolean;

  constructor(cost: number, acceptTruncated: boolean) {
    this.#cost = cost;
    this.#acceptTruncated = acceptTruncated;
  }

  async hash(password: string): Promise<string> {
    const { default: bcrypt } = await loadBcrypt();
    if (fits(password)) return bcrypt.hash(password, this.#cost);
    const salt = await bcrypt.genSalt(this.#cost);
    const made = await bcrypt.hash(condensed(password, salt.slice(-22)), salt);
    const [, , cost, text, digest] = plain.exec(made) ?? [];
    return `$bcrypt-sha256$v=2,t=2b,r=${Number(cost)}$${text}$${digest}`;
  }

  owns(stored: string): boolean {
    const cost = costOf(stored);
    return cost !== undefined && cost >= 4 && cost <= maxCost;
  }

  async verify(password: string, stored: string): Promise<boolean> {
    const { default: bcrypt } = await loadBcrypt();
    const [, cost = '', salt = '', digest] = prehashed.exec(stored) ?? [];
    if (digest !== undefined)
      return bcrypt.compare(condensed(password, salt), `$2b$${cost.padStart(2, '0')}$${salt}${digest}`);
    // Compared all the same, so that the time does not tell.
    const equal = await bcrypt.compare(password, stored.replace(/^\$2y/, '$2b'));
    return equal && (fits(password) || this.#acceptTruncated);
  }

  isOutdated(stored: string): boolean {
    return costOf(stored) !== this.#cost || !/^\$(?:2b|bcrypt-sha256)\$/.test(stored);
  }

  dummy(): string {
    // The 22nd character carries two bits, the 31st of a digest four; which text it is does not matter.
    const salt = [...randomBytes(21)].map((byte) => alphabet[byte & 63]).join('');
    return `$2b$${String(this.#cost).padStart(2, '0')}$${salt}.${'.'.repeat(31)}`;
  }
}

function costOf(stored: string): number | undefined {
  const cost = plain.exec(stored)?.[2] ?? prehashed.exec(stored)?.[1];
  return cost === undefined ? undefined : Number(cost);
}

function fits(password: string): boolean {
  return Buffer.byteLength(password) <= maxBcryptBytes && !password.includes('\0');
}

function condensed(password: string, salt: string): string {
  return createHmac('sha256', salt).update(password, 'utf8').digest('base64');
}
