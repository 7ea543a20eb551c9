import { randomBytes } from 'node:crypto';
import { ConnectionError } from '../../../core/index.js';
import { describeError } from '../../../core/internal.js';
import { closeClient, type DriverClient, openClient } from '../../../drivers/mongodb/index.js';
import type { Namespace } from '../test-service.js';

const answerMs = 5_000;

/** The version of the server at a URL. @throws ConnectionError; MissingDependencyError without `mongodb` */
export async function mongoVersion(url: string): Promise<string> {
  return await withClient(url, async (client) => String((await client.db('admin').command({ buildInfo: 1 })).version));
}

/** A database of its own. Dropping it drops the database. */
export async function openMongoNamespace(url: string): Promise<Namespace> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  const drop = async (): Promise<void> => {
    await withClient(url, (client) => client.db(name).dropDatabase());
  };
  return { name, url: urlOf(url, name), drop, [Symbol.asyncDispose]: drop };
}

/** The URL with another database, logging in where it did before. */
function urlOf(url: string, database: string): string {
  const next = new URL(url);
  const before = next.pathname.slice(1);
  if (next.username && !next.searchParams.has('authSource')) next.searchParams.set('authSource', before || 'admin');
  next.pathname = `/${database}`;
  return next.href;
}

async function withClient<T>(url: string, work: (client: DriverClient) => Promise<T>): Promise<T> {
  const client = await openClient(url, {
    serverSelectionTimeoutMS: answerMs,
    connectTimeoutMS: answerMs,
    maxPoolSize: 1,
  });
  try {
    await client.connect();
    return await work(client);
  } catch (error) {
    throw new ConnectionError(`The MongoDB server cannot be used: ${describeError(error)}`);
  } finally {
    await closeClient(client, answerMs);
  }
}
