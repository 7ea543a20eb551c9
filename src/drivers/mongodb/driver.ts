import { importOptional, lazy } from '../../core/internal.js';
import type { DriverClient } from './client.js';

/** The driver's class for object ids, as much of it as we use. */
export interface ObjectIdClass {
  new (hex: string): object;
  createFromHexString(hex: string): object;
}

const loadDriver = lazy(() => importOptional('mongodb', 'MongoDatabase', () => import('mongodb')));

/** @throws MissingDependencyError */
export async function loadObjectId(): Promise<ObjectIdClass> {
  return (await loadDriver()).ObjectId;
}

/**
 * A client that is not connected yet.
 *
 * @throws MissingDependencyError; whatever the driver finds wrong with the URL
 */
export async function openClient(url: string, settings: object): Promise<DriverClient> {
  const { MongoClient } = await loadDriver();
  return new MongoClient(url, settings) as unknown as DriverClient;
}

/**
 * Closes a client within `withinMs`. The driver says goodbye to the server first and waits for its answer; from
 * a server that says nothing, the connections are taken away.
 */
export async function closeClient(client: DriverClient, withinMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      const { topology } = client as { readonly topology?: { close?(): void } };
      topology?.close?.();
      resolve();
    }, withinMs);
  });
  // What comes after the limit is nobody's business.
  const closing = client.close().catch(() => undefined);
  await Promise.race([closing, late]);
  clearTimeout(timer);
}
