import { ConfigurationError, detach, type Lifecycle, SaflaError } from '../../core/index.js';
import { describeError } from '../../core/internal.js';
import {
  closeClient,
  connectFirst,
  type DriverClient,
  type DriverDatabase,
  openClient,
} from '../../drivers/mongodb/index.js';
import { mongoFailure } from './failure.js';
import { defaultOperationMs, type MongoDatabaseOptions } from './mongo-options.js';
import { type MongoTarget, parseMongoURL } from './mongo-url.js';

/** Of the time to close, what the driver may take to say goodbye. */
const goodbyeShare = 0.6;
const failedCloseMs = 1_000;

/** The driver's client of one database: the host's, or one that is made and connected at first use. */
export class MongoLink {
  /** What the URL says; undefined for a client of the host's. */
  readonly address: MongoTarget | undefined;
  readonly databaseName: string;
  /** `host:port/database`, without credentials. */
  readonly target: string;
  readonly #options: MongoDatabaseOptions;
  readonly #lifecycle: Lifecycle;
  #client: DriverClient | undefined;
  /** Made and not connected yet. */
  #unconnected: Promise<DriverClient> | undefined;
  #opening: Promise<DriverClient> | undefined;

  constructor(options: MongoDatabaseOptions, lifecycle: Lifecycle) {
    this.#options = options;
    this.#lifecycle = lifecycle;
    this.address = options.client ? undefined : parseMongoURL(options.url, options.database, 'MongoDatabase');
    this.databaseName = this.address?.database ?? options.database ?? '';
    this.target = this.address ? `${this.address.hosts}/${this.databaseName}` : this.databaseName;
  }

  /** The driver's client, connected. */
  async client(): Promise<DriverClient> {
    if (this.#client) return this.#client;
    // One connect for all who wait; it must not end with the first of them.
    this.#opening ??= detach(() => this.#open()).finally(() => {
      this.#opening = undefined;
    });
    return await this.#opening;
  }

  /** The database, to be used at once; it connects before anything is sent. */
  async database(): Promise<DriverDatabase> {
    const { databaseName } = this;
    if (this.#client) return this.#client.db(databaseName);
    return connectFirst(await this.#make(), databaseName, () => this.client());
  }

  /** Disconnects a client that is ours, also one that is still connecting. */
  async close(remainingMs: number): Promise<void> {
    const client = this.#client ?? (await this.#unconnected?.catch(() => undefined));
    this.#client = undefined;
    if (client && !this.#options.client) await closeClient(client, remainingMs * goodbyeShare);
  }

  #make(): Promise<DriverClient> {
    this.#unconnected ??= this.#create().catch((error: unknown) => {
      this.#unconnected = undefined;
      throw error;
    });
    return this.#unconnected;
  }

  async #create(): Promise<DriverClient> {
    const { client } = this.#options;
    if (client) return client as DriverClient;
    const address = this.address as MongoTarget;
    try {
      return await openClient(address.url, this.#settings(address));
    } catch (error) {
      if (SaflaError.is(error)) throw error;
      // The driver's words may hold parts of the URL.
      const reason = this.#withoutCredentials(describeError(error));
      throw new ConfigurationError(`MongoDatabase.url cannot be used: ${reason}`, { field: 'MongoDatabase.url' });
    }
  }

  async #open(): Promise<DriverClient> {
    const client = await this.#make();
    try {
      await client.connect();
      this.#lifecycle.assertOpen();
    } catch (error) {
      // A client that failed cannot be connected again; the next call makes another.
      this.#unconnected = undefined;
      if (!this.#options.client) await closeClient(client, failedCloseMs);
      const { target } = this;
      throw mongoFailure(error, { subject: `Connecting to ${target}`, collection: undefined, target });
    }
    this.#client = client;
    return client;
  }

  /** What neither the options nor the URL say is ours to say. */
  #settings({ parameters }: MongoTarget): object {
    const {
      maxConnections,
      acquireTimeoutMs,
      connectTimeoutMs,
      operationTimeoutMs = defaultOperationMs,
    } = this.#options;
    const settings: Record<string, unknown> = { appName: '@safla/sdk' };
    const set = (name: string, given: number | undefined, fallback: number): void => {
      if (given !== undefined) settings[name] = given === Number.POSITIVE_INFINITY ? 0 : Math.ceil(given);
      else if (!parameters.has(name.toLowerCase())) settings[name] = fallback;
    };
    if (parameters.has('appname')) delete settings.appName;
    set('maxPoolSize', maxConnections, 10);
    set('waitQueueTimeoutMS', acquireTimeoutMs, 5_000);
    set('serverSelectionTimeoutMS', connectTimeoutMs, 5_000);
    set('connectTimeoutMS', connectTimeoutMs, 5_000);
    // A server that stops answering must not keep a connection for ever.
    if (operationTimeoutMs !== false) set('socketTimeoutMS', undefined, Math.max(operationTimeoutMs * 2, 60_000));
    return settings;
  }

  #withoutCredentials(text: string): string {
    const [, credentials = ''] = /:\/\/([^@/?]*)@/.exec(this.address?.url ?? '') ?? [];
    const parts = credentials.split(':').flatMap((part) => [part, tryDecode(part)]);
    return parts.filter((part) => part.length > 2).reduce((out, part) => out.replaceAll(part, '[redacted]'), text);
  }
}

function tryDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
