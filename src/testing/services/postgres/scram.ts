import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';
import { ProtocolError } from '../../../core/index.js';

/** The client's side of one SCRAM-SHA-256 exchange (RFC 5802, RFC 7677), without channel binding. */
export class ScramClient {
  readonly #password: string;
  readonly #user: string;
  readonly #nonce: string;
  #serverSignature: Buffer | undefined;

  /** @param user Empty for PostgreSQL, which takes the name from its startup message. */
  constructor(password: string, user: string = '', nonce: string = randomBytes(18).toString('base64')) {
    this.#password = password.normalize('NFKC');
    this.#user = user;
    this.#nonce = nonce;
  }

  /** The client's opening. */
  get first(): string {
    return `n,,${this.#firstBare}`;
  }

  /** The answer to the server's challenge `r=…,s=…,i=…`. @throws ProtocolError when it does not continue our nonce */
  respond(challenge: string): string {
    const { r: nonce = '', s: salt = '', i: iterations = '0' } = attributes(challenge);
    if (!nonce.startsWith(this.#nonce) || nonce === this.#nonce || !(Number(iterations) > 0)) {
      throw new ProtocolError('The SCRAM challenge of the server does not belong to this exchange');
    }
    const salted = pbkdf2Sync(this.#password, Buffer.from(salt, 'base64'), Number(iterations), 32, 'sha256');
    const clientKey = hmac(salted, 'Client Key');
    const withoutProof = `c=biws,r=${nonce}`;
    const message = `${this.#firstBare},${challenge},${withoutProof}`;
    const signature = hmac(createHash('sha256').update(clientKey).digest(), message);
    this.#serverSignature = hmac(hmac(salted, 'Server Key'), message);
    const proof = clientKey.map((byte, index) => byte ^ (signature[index] ?? 0));
    return `${withoutProof},p=${Buffer.from(proof).toString('base64')}`;
  }

  /** Checks the server's last word `v=…`: it knew the password too. @throws ProtocolError */
  verify(final: string): void {
    const given = Buffer.from(attributes(final).v ?? '', 'base64');
    const expected = this.#serverSignature;
    if (!expected || given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw new ProtocolError('The server could not prove that it knows the password');
    }
  }

  get #firstBare(): string {
    return `n=${this.#user},r=${this.#nonce}`;
  }
}

function attributes(text: string): Partial<Record<string, string>> {
  return Object.fromEntries(text.split(',').map((part) => [part.slice(0, 1), part.slice(2)]));
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
