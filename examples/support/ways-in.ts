import {
  EventStream,
  GraphQLIntegration,
  gql,
  Outbox,
  outboxTable,
  PostgresDatabase,
  sql,
  WebSocketIntegration,
} from '@safla/sdk';
import { z } from 'zod';
import type { Backend } from './backend.js';

const Facts = gql<{ series: { count: number; from: string; to: string } }>`{ series { count from to } }`;
const Point = z.object({ date: z.string(), value: z.number() });
const Stored = z.object({ rows: z.number() });

/** One point of a series. */
export type Point = z.infer<typeof Point>;

/** Facts about the series, by GraphQL. */
export async function askForFacts({ graphqlURL, key }: Backend): Promise<{ count: number; from: string; to: string }> {
  await using api = new GraphQLIntegration({ endpoint: graphqlURL, headers: { authorization: `Bearer ${key}` } });
  return (await api.query(Facts)).series;
}

/** The points as they come over WebSocket, until the server is done. */
export async function followLive({ liveURL, key }: Backend): Promise<Point[]> {
  await using feed = new WebSocketIntegration({ url: liveURL, token: key, schema: Point });
  const points: Point[] = [];
  const reading = (async () => {
    for await (const point of feed) points.push(point);
  })();
  await feed.connect();
  await reading;
  return points;
}

/** Points in a table and the news of them, kept together or not at all. */
export interface Kept {
  readonly rows: number;
  readonly highest: Point;
  /** What a consumer of `series.stored` was told. */
  readonly told: number;
}

/**
 * Stores points and an event in one transaction, relays the event, and consumes it. PostgreSQL within
 * this process, and a log in memory: a `postgres://` and a `redis://` URL make them outlive it.
 */
export async function keepInSQL(points: readonly Point[]): Promise<Kept> {
  await using db = new PostgresDatabase({
    url: 'memory:',
    migrations: [
      outboxTable(),
      { id: '002-points', up: 'create table points (place int primary key, date text, value float8)' },
    ],
  });
  await using events = new EventStream({ url: 'memory:' });
  await using outbox = new Outbox({ db, events });
  await db.migrate();
  await db.transaction(async (tx) => {
    const rows = sql.json(points.map((point, place) => ({ place, ...point })));
    await tx.sql`insert into points select * from jsonb_to_recordset(${rows}) as r (place int, date text, value float8)`;
    await outbox.publish(tx, 'series.stored', { rows: points.length });
  });
  let told: (rows: number) => void = () => undefined;
  const heard = new Promise<number>((resolve) => {
    told = resolve;
  });
  const settings = { group: 'tour', schema: Stored, from: 'start' } as const;
  await using _consumer = await events.consume('series.stored', settings, ({ data }) => told(data.rows));
  await outbox.relay();
  const highest = await db.sql.one<Point>`select date, value from points order by value desc, place limit 1`;
  const { n: rows } = await db.sql.one<{ n: number }>`select count(*) n from points`;
  return { rows, highest, told: await heard };
}
