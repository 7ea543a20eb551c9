import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { connect as connectTLS } from 'node:tls';
import { ConnectionError, ProtocolError } from '../../../core/index.js';
import { ByteReader } from '../launch/byte-reader.js';
import { dial } from '../launch/dial.js';

/**
 * As much of the NATS client protocol (docs.nats.io, "Client Protocol") as it takes to see that a server
 * accepts work and to clean up: login and one request at a time.
 */
export class NatsWire implements AsyncDisposable {
  readonly #stream: Duplex;
  readonly #reader: ByteReader;
  readonly #inbox: string = `_INBOX.${randomBytes(12).toString('hex')}`;
  readonly version: string;

  private constructor(stream: Duplex, reader: ByteReader, version: string) {
    this.#stream = stream;
    this.#reader = reader;
    this.version = version;
  }

  /**
   * Connects and logs in.
   *
   * @param url `nats://user:password@host:port`, `nats://token@host:port`, or `tls:`
   * @throws ConnectionError when there is no such server or it refuses the login; ProtocolError when something else answers
   */
  static async connect(url: string): Promise<NatsWire> {
    const { protocol, hostname, port, username, password } = new URL(url);
    const host = hostname.replace(/^\[(.*)\]$/, '$1') || '127.0.0.1';
    const socket = await dial(host, Number(port) || 4222);
    try {
      const plain = new ByteReader(socket);
      const hello = await plain.line();
      if (!hello.startsWith('INFO ')) throw new ProtocolError('What answers at this address does not speak NATS');
      const { version, tls_required } = JSON.parse(hello.slice(5)) as { version: string; tls_required?: boolean };
      const secure = protocol === 'tls:' || tls_required === true;
      const stream = secure ? connectTLS({ socket, host, servername: host }) : socket;
      stream.on('error', () => undefined);
      const [user, pass] = [username, password].map(decodeURIComponent);
      const login = pass ? { user, pass } : user ? { auth_token: user } : {};
      stream.write(
        `CONNECT ${JSON.stringify({ verbose: false, pedantic: false, lang: 'node', version: '1', ...login })}\r\nPING\r\n`,
      );
      const wire = new NatsWire(stream, secure ? new ByteReader(stream) : plain, version);
      await wire.#until('PONG');
      return wire;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  /** One JSON request and its answer. @throws ConnectionError when nobody answers */
  async request(subject: string, body: object): Promise<Readonly<Record<string, unknown>>> {
    const payload = JSON.stringify(body);
    this.#stream.write(`SUB ${this.#inbox} 1\r\nUNSUB 1 1\r\n`);
    this.#stream.write(`PUB ${subject} ${this.#inbox} ${Buffer.byteLength(payload)}\r\n${payload}\r\n`);
    const head = await this.#until('MSG', 'HMSG');
    const sizes = head.split(' ');
    const content = await this.#reader.bytes(Number(sizes.at(-1)) + 2);
    // A message with headers and nothing else is the server's: no responders.
    if (sizes[0] === 'HMSG') throw new ConnectionError(`Nobody answers ${subject} on this NATS server`);
    return JSON.parse(content.toString()) as Record<string, unknown>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stream.end();
    this.#stream.destroy();
  }

  /** @throws ConnectionError with the server's words when it answers with an error */
  async #until(...words: readonly string[]): Promise<string> {
    for (;;) {
      const line = await this.#reader.line();
      const word = line.split(' ', 1)[0] ?? '';
      if (words.includes(word)) return line;
      if (word === '-ERR') throw new ConnectionError(`NATS says: ${line.slice(5)}`);
      if (word === 'PING') this.#stream.write('PONG\r\n');
    }
  }
}
