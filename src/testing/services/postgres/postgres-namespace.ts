import { randomBytes } from 'node:crypto';
import type { Namespace } from '../test-service.js';
import { PostgresWire } from './postgres-wire.js';

/**
 * A schema of its own. The URL puts it first in `search_path`; `public` stays behind it, where
 * extensions live.
 */
export async function openPostgresNamespace(url: string): Promise<Namespace> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await run(url, `create schema ${name}`);
  const inside = new URL(url);
  const options = [inside.searchParams.get('options'), `-c search_path=${name},public`].filter(Boolean).join(' ');
  inside.searchParams.set('options', options);
  const drop = (): Promise<void> => run(url, `drop schema if exists ${name} cascade`);
  // `+` for a blank is the rule of forms; PostgreSQL clients read URLs, where it stays a plus.
  return { name, url: inside.href.replaceAll('+', '%20'), drop, [Symbol.asyncDispose]: drop };
}

async function run(url: string, sql: string): Promise<void> {
  await using wire = await PostgresWire.connect(url);
  await wire.run(sql);
}
