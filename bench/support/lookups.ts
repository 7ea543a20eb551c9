/**
 * One process of the lookups by primary key: prints `[name, client CPU microseconds, x pool.query]` per client as JSON.
 * Argument: the URL of a server that has the table `items`.
 */
import { PostgresDatabase } from '@safla/sdk/database';
import { sql as drizzleSQL } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import knexFactory from 'knex';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import postgres from 'postgres';
import { measure } from '../measure.js';
import { version } from './version.js';

const concurrency = 10;
const [url = ''] = process.argv.slice(2);
const db = new PostgresDatabase({ url, maxConnections: concurrency });
const pool = new pg.Pool({ connectionString: url, max: concurrency });
const porsager = postgres(url, { max: concurrency, onnotice: () => undefined });
interface Items {
  items: { id: number; name: string; price: number };
}
const kysely = new Kysely<Items>({ dialect: new PostgresDialect({ pool }) });
const knex = knexFactory({ client: 'pg', connection: url, pool: { min: concurrency, max: concurrency } });
const drizzled = drizzle(pool);

let next = 0;
const id = (): number => (next++ % 1_000) + 1;
const many = (run: () => Promise<unknown>) => (): Promise<unknown> =>
  Promise.all(Array.from({ length: concurrency }, run));
const text = 'select id, name, price from items where id = $1';

const lookups = [
  { name: `pg ${version('pg')} pool.query`, run: many(() => pool.query(text, [id()])) },
  {
    name: `pg ${version('pg')} pool.query, named`,
    run: many(() => pool.query({ name: 'item', text, values: [id()] })),
  },
  { name: 'db.sql', run: many(() => db.sql`select id, name, price from items where id = ${id()}`) },
  {
    name: 'db.sql.with({ signal })',
    run: many(() => db.sql.with({ signal: forever.signal })`select id, name, price from items where id = ${id()}`),
  },
  {
    name: `postgres.js ${version('postgres')}`,
    run: many(() => porsager`select id, name, price from items where id = ${id()}`),
  },
  {
    name: `kysely ${version('kysely')}`,
    run: many(() => kysely.selectFrom('items').select(['id', 'name', 'price']).where('id', '=', id()).execute()),
  },
  {
    name: `drizzle ${version('drizzle-orm')}, sql`,
    run: many(() => drizzled.execute(drizzleSQL`select id, name, price from items where id = ${id()}`)),
  },
  { name: `knex ${version('knex')}`, run: many(() => knex('items').select('id', 'name', 'price').where({ id: id() })) },
];
const forever = new AbortController();

// First what the bar is about: what builders leave for the collector would be counted for whoever comes next.
const direct = await measure(lookups.slice(0, 4), { calls: 250, rounds: 15 });
const built = await measure([...lookups.slice(0, 1), ...lookups.slice(4)], { calls: 150, rounds: 7 });
const lines = [direct, built].flatMap((group, index) => {
  const base = group[0]?.cpuMicros ?? Number.NaN;
  return group.slice(index).map(({ name, cpuMicros }) => [name, cpuMicros / concurrency, cpuMicros / base]);
});
process.stdout.write(JSON.stringify(lines));
await Promise.all([db.close(), porsager.end(), knex.destroy(), pool.end()]);
