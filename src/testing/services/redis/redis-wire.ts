import type { Duplex } from 'node:stream';
import { connect as connectTLS } from 'node:tls';
import { ConnectionError, ProtocolError } from '../../../core/index.js';
import { ByteReader } from '../launch/byte-reader.js';
import { dial } from '../launch/dial.js';

/** What a server answers with. */
export type RedisReply = string | number | null | readonly RedisReply[];

/**
 * As much of the Redis protocol (RESP2) as it takes to see that a server accepts work and to clean
 * up a namespace: one command at a time.
 */
export class RedisWire implements AsyncDisposable {
  readonly #stream: Duplex;
  readonly #reader: ByteReader;

  private constructor(stream: Duplex) {
    this.#stream = stream;
    this.#reader = new ByteReader(stream);
  }

  /**
   * Connects, logs in and selects the database that the URL names.
   *
   * @param url `redis://user:password@host:port/database`, or `rediss:` for TLS
   * @throws ConnectionError when there is no such server or it refuses the login; ProtocolError when something else answers
   */
  static async connect(url: string): Promise<RedisWire> {
    const { protocol, hostname, port, username, password, pathname } = new URL(url);
    const host = hostname.replace(/^\[(.*)\]$/, '$1') || '127.0.0.1';
    const socket = await dial(host, Number(port) || 6379);
    const stream = protocol === 'rediss:' ? connectTLS({ socket, host, servername: host }) : socket;
    stream.on('error', () => undefined);
    const wire = new RedisWire(stream);
    try {
      const login = [username, password].filter(Boolean).map(decodeURIComponent);
      if (password) await wire.command('AUTH', ...login);
      const database = pathname.slice(1);
      if (database && database !== '0') await wire.command('SELECT', database);
      return wire;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  /** @throws ConnectionError with the server's words when it answers with an error */
  async command(...words: readonly string[]): Promise<RedisReply> {
    const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    this.#stream.write(`*${words.length}\r\n${parts.join('')}`);
    return await this.#reply();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stream.end();
    this.#stream.destroy();
  }

  async #reply(): Promise<RedisReply> {
    const line = await this.#reader.line();
    const rest = line.slice(1);
    const size = Number(rest);
    switch (line[0]) {
      case '+':
        return rest;
      case '-':
        throw new ConnectionError(`Redis says: ${rest}`, { systemCode: rest.split(' ')[0] });
      case ':':
        return size;
      case '$':
        return size < 0 ? null : (await this.#reader.bytes(size + 2)).toString('utf8', 0, size);
      case '*': {
        const items: RedisReply[] = [];
        for (let index = 0; index < size; index++) items.push(await this.#reply());
        return items;
      }
      default:
        throw new ProtocolError('What answers at this address does not speak the Redis protocol');
    }
  }
}
