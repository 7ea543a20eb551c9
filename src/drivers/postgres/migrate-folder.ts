import { importOptional, lazy } from '../../core/internal.js';
import type { DriverClient } from './client.js';

const loadRunner = lazy(() => importOptional('node-pg-migrate', 'migrate({ dir })', () => import('node-pg-migrate')));

/**
 * Runs the migrations of a folder that did not run yet, each in its own transaction, on a connection that
 * holds the lock already. Gives their names in order.
 *
 * @throws MissingDependencyError
 */
export async function migrateFolder(client: DriverClient, dir: string, schema: string): Promise<readonly string[]> {
  const { runner } = await loadRunner();
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const ran = await runner({
    dbClient: client as never,
    dir,
    direction: 'up',
    migrationsTable: 'pgmigrations',
    migrationsSchema: schema,
    noLock: true,
    logger: silent,
  });
  return ran.map(({ name }) => name);
}
