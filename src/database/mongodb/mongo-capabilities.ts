import type { MongoCall } from './mongo-connection.js';

/** What a MongoDB deployment can do. */
export interface MongoCapabilities {
  readonly deployment: 'standalone' | 'replica-set' | 'sharded';
  readonly transactions: boolean;
  readonly changeStreams: boolean;
  /** The server's wire protocol version: 21 is MongoDB 7.0, 25 is 8.0. */
  readonly wireVersion: number;
}

/** Asks the server (`hello`, MongoDB Manual). */
export async function askCapabilities({ database, abortable }: MongoCall): Promise<MongoCapabilities> {
  const { maxTimeMS: _, ...options } = abortable;
  const hello = await database.command({ hello: 1 }, options);
  const deployment = hello.msg === 'isdbgrid' ? 'sharded' : hello.setName === undefined ? 'standalone' : 'replica-set';
  const many = deployment !== 'standalone';
  return { deployment, transactions: many, changeStreams: many, wireVersion: Number(hello.maxWireVersion ?? 0) };
}
