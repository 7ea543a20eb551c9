import { randomBytes } from 'node:crypto';
import type { APIIntegration } from '../../api/index.js';
import { ConfigurationError } from '../../core/index.js';
import { checkOptions, is, lazy } from '../../core/internal.js';
import type { DatabaseIntegration, Migration, MongoMigration } from '../../database/index.js';
import { LocalLimiter } from '../../resilience/index.js';
import type { APITestConfig, PromisedRate } from './api-target.js';
import type { DatabaseTestConfig } from './database-suite.js';

/** Those who test something else do not pay for them. */
const loadAPI = lazy(() => import('../../api/index.js'));
const loadDatabase = lazy(() => import('../../database/index.js'));

const hourMs = 3_600_000;

/** An integration without a cache, so that every call is sent. @throws ConfigurationError */
export async function openAPI(config: APITestConfig & { readonly baseURL: string | URL }): Promise<APIIntegration> {
  checkOptions<APITestConfig>('createAPIIntegration', config, {
    baseURL: is.url('http:', 'https:'),
    apiKey: is.text,
    rateLimitPerHour: is.count,
    rateLimit: is.options<PromisedRate>({ requests: is.required(is.count), perMs: is.required(is.milliseconds) }),
    authPath: is.text,
  });
  const { baseURL, apiKey, rateLimitPerHour, rateLimit, authPath } = config;
  const { APIIntegration } = await loadAPI();
  const rate =
    rateLimit ?? (rateLimitPerHour === undefined ? undefined : { requests: rateLimitPerHour, perMs: hourMs });
  return new APIIntegration({
    baseURL,
    ...(apiKey === undefined ? {} : { auth: apiKey }),
    ...(authPath === undefined ? {} : { authPath }),
    ...(rate ? { policy: { limiter: new LocalLimiter({ limit: rate.requests, intervalMs: rate.perMs }) } } : {}),
  });
}

/** A table that every database under test has; a collection in MongoDB. */
const testTable: Migration = {
  id: 'test_table',
  up: 'create table test_table (id bigint generated always as identity primary key, name text not null)',
};
const testCollection: MongoMigration = { id: 'test_table', up: [{ create: 'test_table' }] };

/** True for a URL of MongoDB, which may name several hosts and is then no URL to others. */
const isMongoURL = (url: unknown): boolean => /^mongodb(?:\+srv)?:\/\//.test(String(url));

const sqlURL = is.url('postgres:', 'postgresql:', 'memory:', 'file:', 'mongodb:', 'mongodb+srv:');
const databaseURL = (url: unknown, field: string): void => {
  if (!isMongoURL(url)) sqlURL(url, field);
};

/** Whether a configuration means MongoDB. @throws ConfigurationError where it is none */
export function meansMongo(config: DatabaseTestConfig): boolean {
  const owner = 'createDatabaseIntegration';
  checkOptions<DatabaseTestConfig>(owner, config, {
    type: is.oneOf('postgres', 'postgresql', 'mongodb'),
    url: databaseURL,
    connectionString: databaseURL,
    migrations: is.list,
  });
  const { type, url = config.connectionString } = config;
  if (type === undefined || url === undefined) return url === undefined ? type === 'mongodb' : isMongoURL(url);
  if ((type === 'mongodb') === isMongoURL(url)) return type === 'mongodb';
  throw new ConfigurationError(`${owner}.type is '${type}', but its url names another database`, {
    field: `${owner}.type`,
  });
}

/** A database in a schema of its own (a database of its own in MongoDB), which `migrate` makes and `cleanup` drops. */
export async function openDatabase(
  url: string | URL,
  migrations: DatabaseTestConfig['migrations'] = [],
): Promise<DatabaseIntegration> {
  const { DatabaseIntegration } = await loadDatabase();
  const schema = `test_${randomBytes(8).toString('hex')}`;
  const last = isMongoURL(url) ? testCollection : testTable;
  return new DatabaseIntegration({ url, schema, migrations: [...migrations, last] as readonly Migration[] });
}
