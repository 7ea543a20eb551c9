import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Document } from 'bson';
import { commands } from './commands.js';
import { Cursors } from './cursors.js';
import { badValue, CommandFailure } from './failure.js';
import { type Request, readRequest, takeMessages, writeAnswer } from './message.js';
import { ScramLogin } from './scram.js';
import { Store, type Workspace } from './store.js';

/** What a test makes of a command instead: an answer, no answer, or a broken connection. */
export type Interception = Document | 'silent' | 'cut' | undefined;

export interface MongoEmulatorOptions {
  /** Behaves as the only member of a replica set, with transactions and change streams; else as a standalone server. @default true */
  readonly replicaSet?: boolean;
  /** Users and passwords. Without any, nobody has to log in. */
  readonly users?: Readonly<Record<string, string>>;
  readonly port?: number;
  /** The name of the replica set. @default 'emulator' */
  readonly setName?: string;
}

interface Connection {
  readonly socket: Socket;
  login: ScramLogin | undefined;
  trusted: boolean;
}

const open = new Set(['hello', 'ismaster', 'saslStart', 'saslContinue', 'ping', 'buildInfo', 'endSessions']);

/**
 * Answers the official driver over the wire, on 127.0.0.1. It is an emulator and not MongoDB: queries run on
 * mingo, nothing is durable, integers have no width, and what it does not know it refuses.
 */
export class MongoEmulator implements AsyncDisposable {
  readonly store: Store = new Store();
  readonly cursors: Cursors = new Cursors();
  /** Every command it was sent, besides those of connections. */
  readonly received: Document[] = [];
  intercept: ((name: string, body: Document) => Interception | Promise<Interception>) | undefined;
  readonly #options: MongoEmulatorOptions;
  readonly #server: Server;
  readonly #connections: Set<Connection> = new Set();
  readonly #transactions: Map<string, Workspace> = new Map();
  /** A commit may be asked for twice. */
  readonly #committed: Set<string> = new Set();

  private constructor(options: MongoEmulatorOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  static async start(options: MongoEmulatorOptions = {}): Promise<MongoEmulator> {
    const emulator = new MongoEmulator(options);
    await new Promise<void>((resolve, reject) => {
      emulator.#server.once('error', reject);
      emulator.#server.listen(options.port ?? 0, '127.0.0.1', resolve);
    });
    return emulator;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many clients are connected. */
  get connections(): number {
    return this.#connections.size;
  }

  /** A URL for a database, as the first user. */
  url(database: string): string {
    const [user] = Object.entries(this.#options.users ?? {});
    const login = user ? `${user.map(encodeURIComponent).join(':')}@` : '';
    const parameters = new URLSearchParams();
    if (user) parameters.set('authSource', 'admin');
    if (this.#options.replicaSet === false) parameters.set('directConnection', 'true');
    return `mongodb://${login}127.0.0.1:${this.port}/${database}?${parameters}`;
  }

  /** Breaks every connection. */
  cut(): void {
    for (const { socket } of this.#connections) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    const connection: Connection = { socket, login: undefined, trusted: this.#options.users === undefined };
    this.#connections.add(connection);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#connections.delete(connection));
    let buffer: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      const { messages, rest } = takeMessages(buffer.length > 0 ? Buffer.concat([buffer, chunk]) : chunk);
      buffer = rest;
      for (const message of messages) this.#answer(connection, readRequest(message)).catch(() => socket.destroy());
    });
  }

  async #answer(connection: Connection, request: Request): Promise<void> {
    const [name = ''] = Object.keys(request.body);
    if (!open.has(name) && name !== 'isMaster') this.received.push(request.body);
    const given = await this.intercept?.(name, request.body);
    if (given === 'silent') return;
    if (given === 'cut') {
      connection.socket.destroy();
      return;
    }
    const answer = given ?? (await this.#run(connection, name, request.body));
    if (!request.silent && !connection.socket.destroyed) connection.socket.write(writeAnswer(request, answer));
  }

  async #run(connection: Connection, name: string, body: Document): Promise<Document> {
    try {
      const own = this.#ofConnection(connection, name, body);
      if (own) return own;
      if (!connection.trusted && !open.has(name)) {
        throw new CommandFailure(13, 'Unauthorized', `Command ${name} requires authentication`);
      }
      const command = commands[name];
      if (!command) throw new CommandFailure(59, 'CommandNotFound', `no such command: '${name}' (emulator)`);
      const workspace = this.#workspace(body);
      const context = {
        store: this.store,
        cursors: this.cursors,
        database: String(body.$db),
        replicaSet: this.#options.replicaSet !== false,
        workspace,
      };
      const answer = await command(context, body);
      if (workspace && answer.writeErrors) this.#end(body);
      return answer;
    } catch (error) {
      if (body.autocommit === false) this.#end(body);
      return badValue(error).answer;
    }
  }

  #ofConnection(connection: Connection, name: string, body: Document): Document | undefined {
    switch (name) {
      case 'hello':
      case 'ismaster':
      case 'isMaster':
        return this.#hello(body);
      case 'endSessions':
        return { ok: 1 };
      case 'saslStart':
        connection.login = new ScramLogin(body.payload, this.#options.users ?? {});
        return connection.login.start();
      case 'saslContinue': {
        const answer = connection.login?.finish(body.payload);
        connection.trusted = true;
        return answer;
      }
      case 'commitTransaction': {
        const key = sessionKey(body);
        const workspace = this.#transactions.get(key);
        if (workspace) this.store.commit(workspace);
        else if (!this.#committed.has(key)) throw noSuchTransaction();
        this.#committed.add(key);
        this.#end(body);
        return { ok: 1 };
      }
      case 'abortTransaction':
        this.#end(body);
        return { ok: 1 };
    }
    return undefined;
  }

  #hello(body: Document): Document {
    const me = `127.0.0.1:${this.port}`;
    const { setName = 'emulator' } = this.#options;
    const member = { setName, setVersion: 1, hosts: [me], me, primary: me, secondary: false };
    return {
      helloOk: true,
      isWritablePrimary: true,
      ismaster: true,
      maxBsonObjectSize: 16_777_216,
      maxMessageSizeBytes: 48_000_000,
      maxWriteBatchSize: 100_000,
      logicalSessionTimeoutMinutes: 30,
      minWireVersion: 0,
      maxWireVersion: 25,
      readOnly: false,
      ...(this.#options.replicaSet === false ? {} : member),
      ...(body.saslSupportedMechs ? { saslSupportedMechs: ['SCRAM-SHA-256'] } : {}),
      ok: 1,
    };
  }

  #workspace(body: Document): Workspace | undefined {
    if (body.autocommit !== false) return undefined;
    if (this.#options.replicaSet === false) {
      throw new CommandFailure(
        20,
        'IllegalOperation',
        'Transaction numbers are only allowed on a replica set member or mongos',
      );
    }
    const key = sessionKey(body);
    if (body.startTransaction) this.#transactions.set(key, this.store.begin(key));
    const found = this.#transactions.get(key);
    if (found) return found;
    throw noSuchTransaction();
  }

  #end(body: Document): void {
    const key = sessionKey(body);
    const workspace = this.#transactions.get(key);
    if (workspace) this.store.end(workspace);
    this.#transactions.delete(key);
  }
}

function sessionKey({ lsid, txnNumber }: Document): string {
  return `${lsid?.id?.toString('hex')} ${txnNumber}`;
}

function noSuchTransaction(): CommandFailure {
  return new CommandFailure(251, 'NoSuchTransaction', 'The transaction was aborted', {
    errorLabels: ['TransientTransactionError'],
  });
}
