import { lazy } from '../../core/internal.js';
import type { DriverClient, DriverQuery } from './client.js';

const loadCursor = lazy(async () => (await import('pg-cursor')).default);

/** A statement whose rows are fetched in batches. */
export interface DriverCursor {
  /** The next rows, at most `count`; none when there are no more. */
  read(count: number): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

/** Starts a statement on a connection, which is the cursor's until it is closed. */
export async function openCursor(client: DriverClient, query: DriverQuery): Promise<DriverCursor> {
  const Cursor = await loadCursor();
  const cursor = new Cursor(query.text, [...query.values], { types: query.types } as never);
  client.query(cursor as unknown as { submit(connection: never): void });
  return cursor as unknown as DriverCursor;
}
