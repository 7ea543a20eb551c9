import type { Awaitable } from '../../core/index.js';

/** The services a {@link TestContainer} can provide. */
export type ServiceName = 'postgres' | 'redis' | 'nats' | 'mongodb';

/**
 * Where a service came from: the `environment` named a running one, or a server was started from
 * binaries of the `system`, from binaries shipped by an npm `package`, or in a container by `docker`.
 * `pglite` only behaves like PostgreSQL.
 */
export type ServiceKind = 'environment' | 'system' | 'package' | 'docker' | 'pglite';

/** A part of a service that one test has for itself. Disposing it drops it with all it holds. */
export interface Namespace extends AsyncDisposable {
  /** Unique: the PostgreSQL schema's or the MongoDB database's name, or the prefix that every Redis key, or NATS subject and stream, of the test begins with. */
  readonly name: string;
  /** Where the namespace is. PostgreSQL: unqualified names resolve in the schema first. Holds credentials. */
  readonly url: string;
  /** Removes the namespace and all it holds, and nothing else. Repeating it does nothing. */
  drop(): Promise<void>;
}

/** A service that accepts work. */
export interface TestService {
  readonly name: ServiceName;
  readonly kind: ServiceKind;
  /** The variable or folder it came from: `REDIS_URL`, `/usr/lib/postgresql/17/bin`. */
  readonly origin: string;
  /** As the server says it: `17.6`. */
  readonly version: string;
  /** Everything a client needs to connect, credentials included. */
  readonly url: string;
  /** Empty for what runs in this process, whose `port` is 0. */
  readonly host: string;
  readonly port: number;
  /** Opens a part of the service for one test, in milliseconds. Two namespaces never meet. */
  namespace(): Promise<Namespace>;
  /** Ends the server and removes its files when we started it; leaves one from the environment alone. Idempotent. */
  stop(): Promise<void>;
}

/** What a {@link RunningService} is made of. */
export interface RunningServiceParts {
  readonly name: ServiceName;
  readonly kind: ServiceKind;
  readonly origin: string;
  readonly version: string;
  readonly url: string;
  openNamespace(url: string): Promise<Namespace>;
  release?(): Awaitable<void>;
}

/** The one {@link TestService}: what differs between services is in its parts. Inspecting it shows no credentials. */
export class RunningService implements TestService {
  readonly name: ServiceName;
  readonly kind: ServiceKind;
  readonly origin: string;
  readonly version: string;
  readonly host: string;
  readonly port: number;
  readonly #parts: RunningServiceParts;
  #stopped: Promise<void> | undefined;

  constructor(parts: RunningServiceParts) {
    const { hostname, port } = new URL(parts.url);
    this.name = parts.name;
    this.kind = parts.kind;
    this.origin = parts.origin;
    this.version = parts.version;
    const inProcess = parts.kind === 'pglite';
    this.host = inProcess ? '' : hostname.replace(/^\[(.*)\]$/, '$1') || '127.0.0.1';
    this.port = inProcess ? 0 : Number(port) || defaultPorts[parts.name];
    this.#parts = parts;
  }

  get url(): string {
    return this.#parts.url;
  }

  namespace(): Promise<Namespace> {
    return this.#parts.openNamespace(this.url);
  }

  stop(): Promise<void> {
    this.#stopped ??= (async () => this.#parts.release?.())();
    return this.#stopped;
  }
}

/** The registered ports of the services, for URLs that name none. */
export const defaultPorts: Readonly<Record<ServiceName, number>> = {
  postgres: 5432,
  redis: 6379,
  nats: 4222,
  mongodb: 27017,
};
