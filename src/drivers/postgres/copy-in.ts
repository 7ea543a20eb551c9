import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { lazy } from '../../core/internal.js';
import type { DriverClient } from './client.js';

const loadCopyStreams = lazy(() => import('pg-copy-streams'));

/**
 * Sends `chunks` to a `copy ... from stdin`; gives the number of rows. When `chunks` throws, the server
 * takes nothing.
 */
export async function copyIn(client: DriverClient, text: string, chunks: AsyncIterable<Buffer>): Promise<number> {
  const { from } = await loadCopyStreams();
  const sink = client.query(from(text));
  await pipeline(Readable.from(chunks, { objectMode: true, highWaterMark: 2 }), sink);
  return sink.rowCount;
}
