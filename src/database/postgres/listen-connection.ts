import type { DriverClient, EmbeddedDatabase, PostgresPool } from '../../drivers/postgres/index.js';

/** A connection that is kept for listening, however the engine gives one. */
export type ListenConnection = Pick<DriverClient, 'query' | 'on' | 'connect' | 'end' | 'connection'>;

/** One connection out of the pool of the host, which has it back, ended, when nobody listens any more. */
export async function pooledListenConnection(pool: PostgresPool): Promise<ListenConnection> {
  const client = (await pool.connect()) as DriverClient;
  return {
    query: client.query.bind(client),
    on: client.on.bind(client),
    connect: async () => undefined,
    end: async () => client.release(true),
    ...(client.connection ? { connection: client.connection } : {}),
  };
}

/** The one connection of a database in this process, borrowed for each statement. */
export function embeddedListenConnection({ pool, onNotification }: EmbeddedDatabase): ListenConnection {
  const stops: (() => void)[] = [];
  const query: ListenConnection['query'] = ((statement, done) => {
    pool.connect().then(
      (client) => {
        (client as DriverClient).query(statement, (error, result) => {
          (client as DriverClient).release();
          done(error, result);
        });
      },
      (error: Error) => done(error, undefined as never),
    );
  }) as DriverClient['query'];
  const on = (event: string, listener: (message: never) => void): void => {
    if (event === 'notification') stops.push(onNotification((message) => listener(message as never)));
  };
  return {
    query,
    on,
    connect: async () => undefined,
    end: async () => {
      for (const stop of stops) stop();
      await new Promise<void>((resolve) => query({ text: 'unlisten *', values: [] }, () => resolve()));
    },
  };
}
