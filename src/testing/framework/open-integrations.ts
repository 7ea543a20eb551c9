import { randomBytes } from 'node:crypto';
import { APIIntegration } from '../../api/index.js';
import { checkOptions, is } from '../../core/internal.js';
import { DatabaseIntegration, type Migration } from '../../database/index.js';
import { LocalLimiter } from '../../resilience/index.js';
import type { APITestConfig, PromisedRate } from './api-target.js';
import type { DatabaseTestConfig } from './database-suite.js';

const hourMs = 3_600_000;

/** An integration without a cache, so that every call is sent. @throws ConfigurationError */
export function openAPI(config: APITestConfig & { readonly baseURL: string | URL }): APIIntegration {
  checkOptions<APITestConfig>('createAPIIntegration', config, {
    baseURL: is.url('http:', 'https:'),
    apiKey: is.text,
    rateLimitPerHour: is.count,
    rateLimit: is.options<PromisedRate>({ requests: is.required(is.count), perMs: is.required(is.milliseconds) }),
    authPath: is.text,
  });
  const { baseURL, apiKey, rateLimitPerHour, rateLimit, authPath } = config;
  const rate =
    rateLimit ?? (rateLimitPerHour === undefined ? undefined : { requests: rateLimitPerHour, perMs: hourMs });
  return new APIIntegration({
    baseURL,
    ...(apiKey === undefined ? {} : { auth: apiKey }),
    ...(authPath === undefined ? {} : { authPath }),
    ...(rate ? { policy: { limiter: new LocalLimiter({ limit: rate.requests, intervalMs: rate.perMs }) } } : {}),
  });
}

/** A table that every database under test has. */
const testTable: Migration = {
  id: 'test_table',
  up: 'create table test_table (id bigint generated always as identity primary key, name text not null)',
};

export function checkDatabaseConfig(config: DatabaseTestConfig): void {
  checkOptions<DatabaseTestConfig>('createDatabaseIntegration', config, {
    type: is.oneOf('postgres', 'postgresql'),
    url: is.url('postgres:', 'postgresql:', 'memory:', 'file:'),
    connectionString: is.url('postgres:', 'postgresql:', 'memory:', 'file:'),
    migrations: is.list,
  });
}

/** A database in a schema of its own, which `migrate` makes and `cleanup` drops. */
export function openDatabase(url: string | URL, migrations: readonly Migration[] = []): DatabaseIntegration {
  const schema = `test_${randomBytes(8).toString('hex')}`;
  return new DatabaseIntegration({ url, schema, migrations: [...migrations, testTable] });
}
