import { ConfigurationError, type TelemetryOptions } from '../../core/index.js';
import { checkOptions, is, type OptionCheck, type OptionChecks } from '../../core/internal.js';
import type { PostgresPool } from '../../drivers/postgres/index.js';
import type { MigrationSource } from './migration.js';
import { checkSchemaName } from './own-schema.js';
import { parsePostgresURL } from './postgres-url.js';

/** Limits and sizes of a {@link PostgresDatabase}; all have a default. */
export interface PostgresSettings {
  /** As it reads in health and errors. @default 'postgres' */
  readonly name?: string;
  /** Connections at the same time, for the primary and for each replica. `memory:` and `file:` have one. @default 10 */
  readonly maxConnections?: number;
  /** Longest wait for a connection while all are in use, in milliseconds; then PoolExhaustedError. @default 5000 */
  readonly acquireTimeoutMs?: number;
  /** Callers that may wait for a connection; one more is refused at once with PoolExhaustedError. @default 1000 */
  readonly maxWaiting?: number;
  /** Longest time to make a connection, in milliseconds; then ConnectFailedError. @default 10000 */
  readonly connectTimeoutMs?: number;
  /** A connection that nobody used for this long is closed, in milliseconds. @default 30000 */
  readonly idleTimeoutMs?: number;
  /**
   * Longest time of one statement on the server, in milliseconds; then StatementTimeoutError. A call that gives
   * no `timeoutMs` of its own gives up after this and `acquireTimeoutMs` together. @default 30000
   */
  readonly statementTimeoutMs?: number | false;
  /** Longest wait of a statement for a lock, in milliseconds; then LockTimeoutError. @default 10000 */
  readonly lockTimeoutMs?: number | false;
  /** A transaction that does nothing for this long is ended by the server, in milliseconds. @default 60000 */
  readonly idleInTransactionTimeoutMs?: number | false;
  /** Shown in `pg_stat_activity`. @default the URL's, else '@safla/sdk' */
  readonly applicationName?: string;
  /**
   * Encrypts the connection and checks the certificate; an object is passed to `tls.connect`. Wins over the
   * URL's `sslmode`. @default by the URL, off without `sslmode`
   */
  readonly tls?: boolean | PostgresTlsOptions;
  /** URLs of servers for reads that ask for one, taken in turn. @default none */
  readonly replicas?: readonly (string | URL)[];
  /** Statements kept prepared per connection; the one unused for longest goes first. 0 is for poolers that cannot. @default 100 */
  readonly preparedStatements?: number;
  /** `int8` and `count(*)`: `'number'` gives a bigint only where a number would be rounded; `'bigint'` always. @default 'number' */
  readonly int8?: 'number' | 'bigint';
  /** Extensions for `memory:` and `file:`; `vector` needs the package `@electric-sql/pglite-pgvector`. @default none */
  readonly extensions?: readonly 'vector'[];
  /** Where the image that makes `memory:` start fast is kept between runs; false keeps none. @default the system's folder for caches */
  readonly cachePath?: string | false;
  /**
   * A schema of its own: unqualified names are looked up there first, `migrate` makes it, and `cleanup` drops
   * it if `migrate` made it. Not with a `pool`. @default the server's search path
   */
  readonly schema?: string;
  /** What `migrate()` without arguments runs. @default none */
  readonly migrations?: MigrationSource;
  readonly telemetry?: TelemetryOptions;
}

/** What of `tls.connect` is taken, by its names there. */
export interface PostgresTlsOptions {
  /** The authority that the server's certificate must come from. @default those that Node.js trusts */
  readonly ca?: string | Uint8Array;
  /** The client's own certificate, with its `key`, for servers that ask for one. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  /** The name that the certificate must have, where it is not the URL's host. */
  readonly servername?: string;
  /** `false` encrypts and checks nothing. @default true */
  readonly rejectUnauthorized?: boolean;
}

/** Where the database is, and the settings. One of `url` and `pool`. */
export type PostgresDatabaseOptions = PostgresSettings &
  (
    | {
        /** `memory:`, `file:./folder` (both PGlite, in this process) or `postgres://user:password@host/database`. */
        readonly url: string | URL;
        readonly pool?: never;
      }
    | {
        /** A pool of `pg` that stays yours: it is not closed, and its own sizes and timeouts stand. */
        readonly pool: PostgresPool;
        readonly url?: never;
      }
  );

const orFalse: OptionCheck = is.either('milliseconds above 0, or false', is.oneOf(false), is.milliseconds);

const tlsChecks: OptionChecks<PostgresTlsOptions> = {
  ca: is.anything,
  cert: is.anything,
  key: is.anything,
  servername: is.text,
  rejectUnauthorized: is.flag,
};

export const settingChecks: OptionChecks<PostgresSettings> = {
  name: is.text,
  maxConnections: is.count,
  acquireTimeoutMs: is.milliseconds,
  maxWaiting: is.count,
  connectTimeoutMs: is.milliseconds,
  idleTimeoutMs: is.milliseconds,
  statementTimeoutMs: orFalse,
  lockTimeoutMs: orFalse,
  idleInTransactionTimeoutMs: orFalse,
  applicationName: is.text,
  tls: is.either('true, false or TLS options', is.flag, is.options(tlsChecks)),
  replicas: (value, field) => {
    is.list(value, field);
    for (const [index, url] of (value as unknown[]).entries()) serverURL(url, `${field}[${index}]`);
  },
  preparedStatements: is.countOrZero,
  int8: is.oneOf('number', 'bigint'),
  extensions: (value, field) => {
    is.list(value, field);
    for (const [index, name] of (value as unknown[]).entries()) is.oneOf('vector')(name, `${field}[${index}]`);
  },
  cachePath: is.either('a folder, or false', is.oneOf(false), is.text),
  schema: checkSchemaName,
  migrations: is.object,
  telemetry: is.object,
};

/** @throws ConfigurationError */
export function checkPostgresOptions(options: PostgresDatabaseOptions): void {
  const owner = 'PostgresDatabase';
  checkOptions<PostgresDatabaseOptions>(owner, options, { ...settingChecks, url: is.anything, pool: isPool });
  const { url, pool } = options as { readonly url?: unknown; readonly pool?: unknown };
  if ((url === undefined) === (pool === undefined)) {
    throw new ConfigurationError(`${owner} takes either url or pool`, { field: `${owner}.url` });
  }
  if (pool !== undefined && options.schema !== undefined) {
    throw new ConfigurationError(`${owner}.schema is not for a pool of yours; set its search_path`, {
      field: `${owner}.schema`,
    });
  }
  const server = url === undefined || parsePostgresURL(url as string, `${owner}.url`).engine === 'server';
  const misplaced = server ? (['extensions', 'cachePath'] as const) : (['replicas', 'tls', 'maxConnections'] as const);
  for (const name of misplaced) {
    if (options[name] === undefined || options[name] === false) continue;
    const where = server ? 'memory: and file:' : 'postgres://';
    throw new ConfigurationError(`${owner}.${name} is for ${where} only`, { field: `${owner}.${name}` });
  }
}

function serverURL(value: unknown, field: string): void {
  if (parsePostgresURL(value as string, field).engine !== 'server') {
    throw new ConfigurationError(`${field} must be a postgres:// URL`, { field });
  }
}

function isPool(value: unknown, field: string): void {
  const { connect, end } = (value ?? {}) as { readonly connect?: unknown; readonly end?: unknown };
  if (typeof connect === 'function' && typeof end === 'function') return;
  throw new ConfigurationError(`${field} must be a pool of pg`, { field });
}
