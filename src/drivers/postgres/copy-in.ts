import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import type { CopyStreamQuery } from 'pg-copy-streams';
import { lazy } from '../../core/internal.js';
import type { DriverClient } from './client.js';

const loadCopyStreams = lazy(() => import('pg-copy-streams'));

/** What `pg` calls on a query; the library has these for COPY alone. */
interface QueryHandlers {
  handleRowDescription(): void;
  handleDataRow(message: { readonly fields: readonly (string | null)[] }): void;
  handleCopyInResponse(connection: unknown): void;
}

/** A row of the question that goes before the COPY: texts, in the order of its columns. */
export type LookupRow = readonly (string | null)[];

/** What a COPY is made of. */
export interface CopyRequest {
  /** A select without values, asked in the same message as the COPY, so that asking costs no round trip. */
  readonly lookup: string;
  /** `copy ... from stdin`. */
  readonly copy: string;
  /** Makes the data from the answer of `lookup`. */
  readonly chunks: (found: readonly LookupRow[]) => AsyncIterable<Buffer>;
}

/** Runs a COPY; gives the number of rows. When `chunks` throws, the server takes nothing. */
export async function copyIn(client: DriverClient, request: CopyRequest): Promise<number> {
  const { from } = await loadCopyStreams();
  const sink = from(`${request.lookup}; ${request.copy}`) as CopyStreamQuery & QueryHandlers;
  const found: LookupRow[] = [];
  sink.handleRowDescription = () => undefined;
  sink.handleDataRow = ({ fields }) => {
    found.push(fields);
  };
  const accepted = new Promise<void>((resolve) => {
    const accept = sink.handleCopyInResponse.bind(sink);
    sink.handleCopyInResponse = (connection) => {
      accept(connection);
      resolve();
    };
  });
  client.query(sink);
  const done = finished(sink);
  // The lines below say what it rejects with.
  done.catch(() => undefined);
  try {
    await Promise.race([accepted, done]);
    for await (const chunk of request.chunks(found)) {
      if (!sink.write(chunk)) await Promise.race([once(sink, 'drain'), done]);
      if (sink.destroyed || sink.errored) break;
    }
    sink.end();
  } catch (error) {
    sink.destroy(error as Error);
    await done.catch(() => undefined);
    throw error;
  }
  await done;
  return sink.rowCount;
}
