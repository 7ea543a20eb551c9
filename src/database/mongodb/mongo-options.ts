import { ConfigurationError, type TelemetryOptions } from '../../core/index.js';
import { checkOptions, is, type OptionChecks } from '../../core/internal.js';
import type { MongoClientLike } from '../../drivers/mongodb/index.js';
import { checkMongoMigrations, type MongoMigration } from './mongo-migration.js';
import { databaseName, parseMongoURL } from './mongo-url.js';

/** Longest time of one operation, in milliseconds, where nobody says. */
export const defaultOperationMs = 30_000;

/** Limits and sizes of a {@link MongoDatabase}; all have a default. */
export interface MongoSettings {
  /** As it reads in health and errors. @default 'mongodb' */
  readonly name?: string;
  /** Connections at the same time, for each server. Not with a `client`. @default the URL's `maxPoolSize`, else 10 */
  readonly maxConnections?: number;
  /** Longest wait for a connection while all are in use, in milliseconds; then PoolExhaustedError. Not with a `client`. @default 5000 */
  readonly acquireTimeoutMs?: number;
  /**
   * Longest search for a server that can do what is asked, in milliseconds; then ConnectFailedError. It is also
   * the limit of each connection attempt. Not with a `client`. @default the URL's `serverSelectionTimeoutMS`, else 5000
   */
  readonly connectTimeoutMs?: number;
  /** Longest time of one operation, in milliseconds, when the call gives no `timeoutMs`. @default 30000 */
  readonly operationTimeoutMs?: number | false;
  /** Most documents that `find` gives when the call names no `limit`; when more match, it rejects. @default 10000 */
  readonly maxDocuments?: number;
  /** `migrate` makes this database when it is empty, and then `cleanup` may drop it. @default false */
  readonly ownDatabase?: boolean;
  /** What `migrate()` without arguments runs. @default none */
  readonly migrations?: readonly MongoMigration[];
  readonly telemetry?: TelemetryOptions;
}

/** Where the database is, and the settings. One of `url` and `client`. */
export type MongoDatabaseOptions = MongoSettings &
  (
    | {
        /** `mongodb://user:password@host:port,host:port/database` or `mongodb+srv://...`, with the driver's own parameters. */
        readonly url: string | URL;
        /** @default the one that the URL names */
        readonly database?: string;
        readonly client?: never;
      }
    | {
        /** A `MongoClient` of the package `mongodb` that stays yours: it is not closed, and its own settings stand. */
        readonly client: MongoClientLike;
        readonly database: string;
        readonly url?: never;
      }
  );

const owner = 'MongoDatabase';

const settingChecks: OptionChecks<MongoSettings> = {
  name: is.text,
  maxConnections: is.count,
  acquireTimeoutMs: is.milliseconds,
  connectTimeoutMs: is.milliseconds,
  operationTimeoutMs: is.either('milliseconds above 0, or false', is.oneOf(false), is.milliseconds),
  maxDocuments: is.count,
  ownDatabase: is.flag,
  migrations: checkMongoMigrations,
  telemetry: is.object,
};

/** @throws ConfigurationError */
export function checkMongoOptions(options: MongoDatabaseOptions): void {
  checkOptions<MongoDatabaseOptions>(owner, options, {
    ...settingChecks,
    url: is.anything,
    database: is.anything,
    client: isClient,
  });
  const { url, client } = options as { readonly url?: unknown; readonly client?: unknown };
  if ((url === undefined) === (client === undefined)) {
    throw new ConfigurationError(`${owner} takes either url or client`, { field: `${owner}.url` });
  }
  if (client === undefined) {
    parseMongoURL(url, options.database, owner);
    return;
  }
  databaseName(options.database, `${owner}.database`);
  for (const name of ['maxConnections', 'acquireTimeoutMs', 'connectTimeoutMs'] as const) {
    if (options[name] === undefined) continue;
    throw new ConfigurationError(`${owner}.${name} is not for a client of yours; set it there`, {
      field: `${owner}.${name}`,
    });
  }
}

function isClient(value: unknown, field: string): void {
  const { db, startSession, close } = (value ?? {}) as { db?: unknown; startSession?: unknown; close?: unknown };
  if (typeof db === 'function' && typeof startSession === 'function' && typeof close === 'function') return;
  throw new ConfigurationError(`${field} must be a MongoClient of mongodb`, { field });
}
