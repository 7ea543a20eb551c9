/** Reads many rows with one client and prints by how many MB the process grew. Arguments: client, URL, rows. */
import { PostgresDatabase, sql } from '@safla/sdk/database';
import pg from 'pg';
import Cursor from 'pg-cursor';
import postgres from 'postgres';

const [client, url = '', count = ''] = process.argv.slice(2);
let before = 0;
let peak = 0;
let seen = 0;
const look = (rows: number): void => {
  seen += rows;
  if (before === 0) {
    globalThis.gc?.();
    before = process.memoryUsage().rss;
  }
  peak = Math.max(peak, process.memoryUsage().rss);
};

if (client === 'db') {
  await using db = new PostgresDatabase({ url });
  const rows = db.stream(
    sql`select n, 'item ' || n as name, n / 3.0 as price from generate_series(1, ${Number(count)}::int) n`,
  );
  for await (const batch of rows.batches()) look(batch.length);
} else if (client === 'rows') {
  await using db = new PostgresDatabase({ url });
  const rows = db.stream(
    sql`select n, 'item ' || n as name, n / 3.0 as price from generate_series(1, ${Number(count)}::int) n`,
  );
  let pending = 0;
  for await (const _ of rows) {
    if (++pending < 1_000) continue;
    look(pending);
    pending = 0;
  }
} else if (client === 'cursor') {
  const one = new pg.Client(url);
  await one.connect();
  const rows = one.query(
    new Cursor("select n, 'item ' || n as name, n / 3.0 as price from generate_series(1, $1::int) n", [count]),
  );
  for (let batch = await rows.read(500); batch.length > 0; batch = await rows.read(500)) look(batch.length);
  await one.end();
} else {
  const porsager = postgres(url, { max: 1 });
  const rows = porsager`select n, 'item ' || n as name, n / 3.0 as price from generate_series(1, ${count}::int) n`;
  for await (const batch of rows.cursor(1_000)) look(batch.length);
  await porsager.end();
}
if (seen !== Number(count)) throw new Error(`${seen} rows came, not ${count}`);
process.stdout.write(String((peak - before) / 1_048_576));
