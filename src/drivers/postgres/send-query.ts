import type { DriverClient, DriverQuery, DriverResult } from './client.js';
import { loadDriver } from './driver.js';

/** Told how a statement ended. */
export type QueryDone = (error: Error | null | undefined, result: DriverResult) => void;

/** Sends one statement on a client. */
export type SendQuery = (client: DriverClient, query: DriverQuery, done: QueryDone) => void;

interface OwnQuery {
  name: string | undefined;
  queryMode: string | undefined;
  submit(connection: never): void;
}

/** Sends by a client of any copy of `pg`. */
export const sendByConfig: SendQuery = (client, query, done) => client.query(query, done);

/**
 * Sends by a client of our own `pg`, as its Query class: an object with settings would be copied property
 * by property first, which costs a tenth of a short statement.
 */
export async function ownSender(): Promise<SendQuery> {
  const { Query } = await loadDriver();
  const Own = Query as unknown as new (text: string, values: unknown, done: QueryDone) => OwnQuery;
  return (client, { text, values, name, queryMode }, done) => {
    const query = new Own(text, values, done);
    query.name = name;
    query.queryMode = queryMode;
    client.query(query);
  };
}
