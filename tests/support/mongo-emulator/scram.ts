import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { Document } from 'bson';
import { CommandFailure } from './failure.js';

const iterations = 4_096;

/** One login by SCRAM-SHA-256 (RFC 5802, RFC 7677), the server's side. */
export class ScramLogin {
  readonly #password: string;
  readonly #salt: Buffer = randomBytes(28);
  readonly #first: string;
  readonly #serverFirst: string;
  readonly #user: string;

  constructor(payload: Uint8Array, users: Readonly<Record<string, string>>) {
    this.#first = Buffer.from(payload).toString('utf8').replace(/^n,,/, '');
    const { n: user = '', r: nonce = '' } = fields(this.#first);
    this.#user = user;
    this.#password = users[user] ?? '';
    this.#serverFirst = `r=${nonce}${randomBytes(18).toString('base64')},s=${this.#salt.toString('base64')},i=${iterations}`;
  }

  start(): Document {
    return { conversationId: 1, done: false, payload: Buffer.from(this.#serverFirst), ok: 1 };
  }

  finish(payload: Uint8Array): Document {
    const text = Buffer.from(payload).toString('utf8');
    const proof = Buffer.from(fields(text).p ?? '', 'base64');
    const message = `${this.#first},${this.#serverFirst},${text.replace(/,p=.*$/, '')}`;
    const salted = pbkdf2Sync(this.#password, this.#salt, iterations, 32, 'sha256');
    const clientKey = hmac(salted, 'Client Key');
    const signature = hmac(createHash('sha256').update(clientKey).digest(), message);
    const expected = Buffer.from(clientKey.map((byte, at) => byte ^ (signature[at] ?? 0)));
    if (this.#password === '' || !expected.equals(proof)) {
      throw new CommandFailure(18, 'AuthenticationFailed', `Authentication failed. (${this.#user.length} letters)`);
    }
    const final = `v=${hmac(hmac(salted, 'Server Key'), message).toString('base64')}`;
    return { conversationId: 1, done: true, payload: Buffer.from(final), ok: 1 };
  }
}

function fields(text: string): Record<string, string> {
  return Object.fromEntries(text.split(',').map((pair) => [pair[0] ?? '', pair.slice(2)]));
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
