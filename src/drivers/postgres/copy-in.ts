import { once } from 'node:events';
import { finished } from 'node:stream/promises';
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
  const done = finished(sink);
  // The loop below or the last line says what it rejects with.
  done.catch(() => undefined);
  try {
    for await (const chunk of chunks) {
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
