import type { DriverClient, PostgresPool } from './client.js';

/**
 * Ends a pool in time: politely first, and when half of the time is over, by cutting what is left, which
 * `pg` would wait for: connections that are being made, or were never given back.
 */
export async function closePool(pool: PostgresPool, remainingMs: number): Promise<void> {
  const ended = pool.end();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, remainingMs / 2, 'late');
  });
  try {
    if ((await Promise.race([ended, late])) !== 'late') return;
  } finally {
    clearTimeout(timer);
  }
  const { _clients: clients } = pool as { readonly _clients?: readonly DriverClient[] };
  for (const client of clients ?? []) client.connection?.stream.destroy();
  // Nothing is held any more; the pool says so when the last caller has noticed.
  ended.catch(() => undefined);
}
