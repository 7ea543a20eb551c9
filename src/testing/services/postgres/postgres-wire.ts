import type { Duplex } from 'node:stream';
import { connect as connectTLS } from 'node:tls';
import { ConnectionError, ProtocolError, UnsupportedError } from '../../../core/index.js';
import { ByteReader } from '../launch/byte-reader.js';
import { dial } from '../launch/dial.js';
import { ScramClient } from './scram.js';

interface Message {
  readonly type: string;
  readonly body: Buffer;
}

const protocolVersion = 196_608;
const sslRequestCode = 80_877_103;

/**
 * As much of the PostgreSQL protocol (version 3, "Frontend/Backend Protocol" in its manual) as it
 * takes to see that a server accepts work and to open namespaces: startup, TLS, SCRAM and clear-text
 * passwords, statements without results.
 */
export class PostgresWire implements AsyncDisposable {
  readonly #stream: Duplex;
  readonly #reader: ByteReader;
  #version = '';

  private constructor(stream: Duplex) {
    this.#stream = stream;
    this.#reader = new ByteReader(stream);
  }

  /**
   * Connects and logs in; resolves when the server waits for statements.
   *
   * @param url `postgres://user:password@host:port/database?sslmode=require&options=…`
   * @throws ConnectionError when there is no such server or it refuses the login; ProtocolError when something else answers
   */
  static async connect(url: string): Promise<PostgresWire> {
    const { hostname, port, username, password, pathname, searchParams } = new URL(url);
    const host = hostname.replace(/^\[(.*)\]$/, '$1') || 'localhost';
    const socket = await dial(host, Number(port) || 5432);
    try {
      const wire = new PostgresWire(await secured(socket, host, searchParams.get('sslmode')));
      const user = decodeURIComponent(username) || 'postgres';
      await wire.#login(decodeURIComponent(password), {
        user,
        database: decodeURIComponent(pathname.slice(1)) || user,
        client_encoding: 'UTF8',
        options: searchParams.get('options') ?? '',
      });
      return wire;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  /** `server_version` as the server reports it, without what a distribution adds: `17.6`. */
  get version(): string {
    return this.#version.split(' ')[0] ?? '';
  }

  /** Runs statements whose rows nobody needs. @throws ConnectionError with the server's words when one fails */
  async run(sql: string): Promise<void> {
    this.#send('Q', Buffer.from(`${sql}\0`));
    await this.#untilReady();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#send('X', Buffer.alloc(0));
    this.#stream.end();
    this.#stream.destroy();
  }

  async #login(password: string, parameters: Readonly<Record<string, string>>): Promise<void> {
    const pairs = Object.entries(parameters).flat();
    this.#send('', Buffer.concat([int32(protocolVersion), Buffer.from(`${pairs.join('\0')}\0\0`)]));
    let scram: ScramClient | undefined;
    for (;;) {
      const { type, body } = await this.#receive();
      if (type !== 'R') throw new ProtocolError(`The server answered the login with a message '${type}'`);
      const kind = body.readInt32BE(0);
      const content = body.toString('utf8', 4);
      if (kind === 0) break;
      else if (kind === 3) this.#send('p', Buffer.from(`${password}\0`));
      else if (kind === 10 && content.split('\0').includes('SCRAM-SHA-256')) {
        scram = new ScramClient(password);
        const first = Buffer.from(scram.first);
        this.#send('p', Buffer.concat([Buffer.from('SCRAM-SHA-256\0'), int32(first.length), first]));
      } else if (kind === 11 && scram) this.#send('p', Buffer.from(scram.respond(content)));
      else if (kind === 12 && scram) scram.verify(content);
      else throw new UnsupportedError(`Login method ${kind} of this PostgreSQL server; use scram-sha-256 for tests`);
    }
    await this.#untilReady();
  }

  async #untilReady(): Promise<void> {
    let failure: ConnectionError | undefined;
    for (;;) {
      const { type, body } = await this.#receive((error) => {
        failure = error;
      });
      if (type === 'S') {
        const [name, value = ''] = body.toString('utf8').split('\0');
        if (name === 'server_version') this.#version = value;
      }
      if (type === 'Z') break;
    }
    if (failure) throw failure;
  }

  /** The next message that is not an error. Errors throw, unless somebody wants to read on after them. */
  async #receive(
    onError = (error: ConnectionError): void => {
      throw error;
    },
  ): Promise<Message> {
    const head = await this.#reader.bytes(5);
    const type = head.toString('latin1', 0, 1);
    const size = head.readInt32BE(1) - 4;
    if (!/[A-Za-z0-9]/.test(type) || size < 0 || size > 1_000_000) {
      throw new ProtocolError('What answers at this address does not speak the PostgreSQL protocol');
    }
    const body = await this.#reader.bytes(size);
    if (type === 'E') onError(serverError(body));
    return { type, body };
  }

  #send(type: string, body: Buffer): void {
    this.#stream.write(Buffer.concat([Buffer.from(type), int32(body.length + 4), body]));
  }
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** `sslmode` as libpq reads it, without `prefer`: TLS is used where the URL asks for it. */
async function secured(socket: Duplex, host: string, mode: string | null): Promise<Duplex> {
  if (mode === null || mode === 'disable' || mode === 'allow' || mode === 'prefer') return socket;
  socket.write(Buffer.concat([int32(8), int32(sslRequestCode)]));
  const answer = (await new ByteReader(socket).bytes(1)).toString('latin1');
  if (answer !== 'S')
    throw new ConnectionError(`The PostgreSQL server at ${host} has no TLS; sslmode=${mode} needs it`);
  const secure = connectTLS({ socket, host, servername: host, rejectUnauthorized: mode.startsWith('verify') });
  secure.on('error', () => undefined);
  return secure;
}

/** Fields of an ErrorResponse: a letter, a text, a zero byte each. */
function serverError(body: Buffer): ConnectionError {
  const fields = Object.fromEntries(
    body
      .toString('utf8')
      .split('\0')
      .map((field) => [field.slice(0, 1), field.slice(1)]),
  );
  return new ConnectionError(`PostgreSQL says: ${fields.M} (${fields.C})`, { systemCode: fields.C });
}
