import { PostgresWire } from './postgres-wire.js';

/** Logs in, and gives the version. */
export async function serverVersion(url: string): Promise<string> {
  await using wire = await PostgresWire.connect(url);
  return wire.version;
}
