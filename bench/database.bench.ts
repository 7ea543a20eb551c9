/**
 * PostgreSQL: what `db.sql`, `bulkInsert` and `stream` cost the client beside the drivers and builders people use.
 * The server is a process of its own, so that only the client's work is counted.
 *
 * Memory of streams is V8's young generation, which grows when too much survives its collections: with batches of
 * 500 rows row by row 22 MB, in batches 6 to 23; with `--max-semi-space-size=1` 0.5 MB, which is for the host to say.
 * Letting go of each row that was read gave 9 MB row by row, batches of 200 rows 9 MB both ways at 8 % more CPU; both
 * are in.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { PostgresDatabase } from '@safla/sdk/database';
import { TestContainer } from '@safla/sdk/testing';
import knexFactory from 'knex';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import postgres from 'postgres';
import { measure, median } from './measure.js';
import { version } from './support/version.js';

const concurrency = 10;
const bulkRows = 10_000;
const streamRows = 1_000_000;

await using services = await TestContainer.start({ postgres: true });
const { url } = services.postgres;
console.log(services.report().join('\n'));

await using db = new PostgresDatabase({ url });
const pool = new pg.Pool({ connectionString: url, max: concurrency });
const porsager = postgres(url, { max: concurrency, onnotice: () => undefined });
interface Tables {
  bulk: { id: number; name: string; price: number };
}
const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
const knex = knexFactory({ client: 'pg', connection: url, pool: { min: concurrency, max: concurrency } });

await db.sql`create table items (id int primary key, name text, price float8)`;
await db.sql`insert into items select n, 'item ' || n, n / 3.0 from generate_series(1, 1000) n`;

console.log('\nlookup by primary key, 10 at a time: client CPU microseconds | x pool.query; medians of 5 processes');
const processes: [name: string, cpuMicros: number, ratio: number][][] = [];
for (let run = 0; run < 5; run++) processes.push(JSON.parse(await program('lookups.ts', url)));
const lookups = (processes[0] ?? []).map(([name], index) => ({
  name,
  cpuMicros: median(processes.map((lines) => lines[index]?.[1] ?? Number.NaN)),
  ratios: processes.map((lines) => lines[index]?.[2] ?? Number.NaN),
}));
for (const { name, cpuMicros, ratios } of lookups) row(cpuMicros, median(ratios), name);
const ratios = lookups.find(({ name }) => name === 'db.sql')?.ratios ?? [];
console.log(`db.sql: ${ratios.map((ratio) => ratio.toFixed(2)).join(', ')}`);
verdict('db.sql <= 1.15 x pool.query', median(ratios) <= 1.15);

const rows = Array.from({ length: bulkRows }, (_, n) => ({ id: n, name: `item ${n}`, price: n / 3 }));
await db.sql`create unlogged table bulk (id int, name text, price float8)`;

/** What somebody writes by hand: each text has what COPY's format would misread escaped. */
async function handWrittenCopy(): Promise<void> {
  const escaped = (text: string): string =>
    text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t');
  await copyByHand(escaped);
}

/** The same for values that are known to need no escaping: the least that a COPY can cost. */
async function bareCopy(): Promise<void> {
  await copyByHand((text) => text);
}

async function copyByHand(escaped: (text: string) => string): Promise<void> {
  const client = await pool.connect();
  try {
    const sink = client.query(copyFrom('copy bulk (id, name, price) from stdin'));
    let chunk = '';
    for (const { id, name, price } of rows) {
      chunk += `${id}\t${escaped(name)}\t${price}\n`;
      if (chunk.length < 65_536) continue;
      if (!sink.write(chunk)) await once(sink, 'drain');
      chunk = '';
    }
    sink.end(chunk);
    await finished(sink);
  } finally {
    client.release();
  }
}

const inserts = [
  { name: `hand-written COPY (pg-copy-streams ${version('pg-copy-streams')})`, run: handWrittenCopy },
  { name: 'db.bulkInsert', run: () => db.bulkInsert('bulk', rows) },
  { name: 'the same without any escaping', run: bareCopy },
  { name: 'db.bulkInsert, onConflict (json)', run: () => db.bulkInsert('bulk', rows, { onConflict: 'ignore' }) },
  { name: `postgres.js ${version('postgres')} sql(rows)`, run: () => porsager`insert into bulk ${porsager(rows)}` },
  {
    name: `kysely ${version('kysely')} values`,
    run: () => kysely.insertInto('bulk').values(rows).execute(),
  },
  { name: `knex ${version('knex')} batchInsert`, run: () => knex.batchInsert('bulk', rows, 1_000) },
];
console.log(`\ninsert of ${bulkRows} rows: client CPU milliseconds | x hand-written COPY (wall milliseconds)`);
const walls = inserts.map(({ run }) => wall(run));
const bulk = await measure(named(0, 3), { calls: 2, rounds: 21 });
bulk.push(...(await measure(named(3), { calls: 1, rounds: 11 })));
await db.sql`truncate bulk`;
const copy = bulk[0]?.cpuMicros ?? Number.NaN;
bulk.forEach(({ name, cpuMicros }, index) => {
  row(cpuMicros / 1_000, cpuMicros / copy, `${name} (${walls[index]?.median().toFixed(0)} ms)`);
});
const cpuRatio = (bulk[1]?.cpuMicros ?? Number.NaN) / copy;
const wallRatio = (walls[1]?.median() ?? Number.NaN) / (walls[0]?.median() ?? Number.NaN);
console.log(`wall: ${wallRatio.toFixed(2)} x hand-written COPY`);
verdict('bulkInsert <= 1.1 x hand-written COPY, wall', wallRatio <= 1.1);
verdict('bulkInsert <= 1.1 x hand-written COPY, client CPU', cpuRatio <= 1.1);

console.log(`\n${streamRows} rows streamed, each in a process of its own: growth of RSS in MB, median of 5`);
const streamed = await streamGrowth('db');
console.log(`${streamed.toFixed(1).padStart(8)} | db.stream, batches()`);
const rowByRow = await streamGrowth('rows');
console.log(`${rowByRow.toFixed(1).padStart(8)} | db.stream, row by row`);
console.log(`${(await streamGrowth('cursor')).toFixed(1).padStart(8)} | pg-cursor ${version('pg-cursor')}, bare`);
console.log(`${(await streamGrowth('porsager')).toFixed(1).padStart(8)} | postgres.js ${version('postgres')} cursor`);
verdict('stream <= 20 MB, in batches and row by row', Math.max(streamed, rowByRow) <= 20);

console.log('\nabort to the end of the statement on the server, milliseconds');
const stops: number[] = [];
for (let i = 0; i < 100; i++) {
  const abort = new AbortController();
  const mark = `mark ${i}`;
  const call = db.sql.with({ signal: abort.signal })`select pg_sleep(30), ${mark}::text`.catch(() => undefined);
  while ((await active()) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const started = performance.now();
  abort.abort();
  while ((await active()) > 0);
  stops.push(performance.now() - started);
  await call;
}
stops.sort((a, b) => a - b);
const p99 = stops[98] ?? Number.NaN;
console.log(
  `p50 ${(stops[49] ?? Number.NaN).toFixed(1)}, p99 ${p99.toFixed(1)}, most ${stops.at(-1)?.toFixed(1)}; connections lost: ${db.metrics().primary.lost}`,
);
verdict('abort to server stop p99 <= 50 ms', p99 <= 50 && db.metrics().primary.lost === 0);

await Promise.all([porsager.end(), knex.destroy(), pool.end()]);

/** A process of its own, so that what ran here before does not count. */
async function streamGrowth(client: string): Promise<number> {
  const grown: number[] = [];
  for (let run = 0; run < 5; run++)
    grown.push(Number(await program('stream-rows.ts', client, url, String(streamRows))));
  return median(grown);
}

async function program(name: string, ...args: readonly string[]): Promise<string> {
  const path = fileURLToPath(new URL(`./support/${name}`, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', '--import', 'tsx', path, ...args]);
  return stdout.trim();
}

async function active(): Promise<number> {
  const result = await pool.query(
    "select 1 from pg_stat_activity where state = 'active' and query like '%pg_sleep(30)%' and pid <> pg_backend_pid()",
  );
  return result.rowCount ?? 0;
}

function named(from: number, to?: number): { readonly name: string; readonly run: () => Promise<unknown> }[] {
  return walls.map(({ run }, index) => ({ name: inserts[index]?.name ?? '', run })).slice(from, to);
}

function row(value: number, ratio: number, name: string): void {
  console.log(`${value.toFixed(1).padStart(8)} | ${ratio.toFixed(2).padStart(6)} | ${name}`);
}

function verdict(bar: string, met: boolean): void {
  console.log(`bar: ${bar}: ${met ? 'met' : 'MISSED'}`);
}

/** Times a run and keeps the times; the run that warms up is among them and too rare to matter to a median. */
function wall(run: () => Promise<unknown>): { readonly run: () => Promise<void>; readonly median: () => number } {
  const times: number[] = [];
  return {
    run: async () => {
      const started = performance.now();
      await run();
      times.push(performance.now() - started);
    },
    median: () => median(times),
  };
}
