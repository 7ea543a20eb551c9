import type { Client, Pool, PoolConfig } from 'pg';
import type { ConnectionSettings, DriverClient, PoolSettings, PostgresPool } from './client.js';
import { loadDriver } from './driver.js';

/** A pool of `pg`. It connects when it is first asked for a client. */
export async function openPool(settings: PoolSettings): Promise<PostgresPool> {
  const pg = await loadDriver();
  const pool: Pool = new pg.Pool({ ...(settings as PoolConfig), keepAlive: true });
  return pool;
}

/** One connection outside of any pool, not connected yet. */
export async function openClient(settings: ConnectionSettings): Promise<DriverClient> {
  const pg = await loadDriver();
  const client: Client = new pg.Client({ ...(settings as PoolConfig), keepAlive: true });
  return client as unknown as DriverClient;
}
