import { ConfigurationError } from '../core/index.js';
import { checkOptions, is } from '../core/internal.js';
import type { DatabaseEngine } from './database-engine.js';
import { MongoDatabase } from './mongodb/mongo-database.js';
import { checkMongoMigrations, type MongoMigration } from './mongodb/mongo-migration.js';
import { PostgresDatabase } from './postgres/postgres-database.js';
import type { PostgresDatabaseOptions, PostgresSettings } from './postgres/postgres-options.js';
import { settingChecks } from './postgres/postgres-options.js';

/** Where a database is, and the settings of its engine. */
export interface DatabaseIntegrationOptions extends Omit<PostgresSettings, 'migrations'> {
  /** `memory:`, `file:./folder`, `postgres://...` or `mongodb://host/database`. The scheme names the engine. */
  readonly url: string | URL;
  /** What `migrate()` runs: those of the engine that the URL names. @default none */
  readonly migrations?: PostgresSettings['migrations'] | readonly MongoMigration[];
}

/** Settings that MongoDB has too. `schema` is a database of its own there. */
const shared = ['name', 'maxConnections', 'acquireTimeoutMs', 'connectTimeoutMs', 'telemetry'] as const;

/** The engine that the URL's scheme names. @throws ConfigurationError */
export function openEngine(options: DatabaseIntegrationOptions): DatabaseEngine {
  const owner = 'DatabaseIntegration';
  checkOptions(owner, options, { ...settingChecks, url: isText });
  if (!/^mongodb(?:\+srv)?:/.test(String(options.url))) return new PostgresDatabase(options as PostgresDatabaseOptions);
  const { url, schema, migrations } = options;
  for (const name of Object.keys(options) as (keyof DatabaseIntegrationOptions)[]) {
    if (name === 'url' || name === 'schema' || name === 'migrations' || options[name] === undefined) continue;
    if ((shared as readonly string[]).includes(name)) continue;
    throw new ConfigurationError(`${owner}.${name} is not for mongodb://`, { field: `${owner}.${name}` });
  }
  if (migrations !== undefined) checkMongoMigrations(migrations, `${owner}.migrations`);
  const settings = Object.fromEntries(
    shared.map((name) => [name, options[name]]).filter(([, value]) => value !== undefined),
  );
  return new MongoDatabase({
    url,
    ...settings,
    ...(migrations === undefined ? {} : { migrations: migrations as readonly MongoMigration[] }),
    ...(schema === undefined ? {} : { database: schema, ownDatabase: true }),
  });
}

function isText(value: unknown, field: string): void {
  is.either('a URL', is.text, isURL)(value, field);
}

function isURL(value: unknown, field: string): void {
  if (!(value instanceof URL)) throw new ConfigurationError(`${field} must be a URL`, { field });
}
