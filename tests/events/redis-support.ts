import { randomUUID } from 'node:crypto';
import { type ServiceSettings, TestContainer } from '@safla/sdk/testing';
import { Redis } from 'ioredis';
import { afterAll, beforeAll } from 'vitest';

/** What {@link ownRedis} gives. */
export interface OwnRedis {
  readonly url: string;
  readonly client: Redis;
  /** Begins the names of keys that are removed at the end: the server may be somebody's. */
  readonly prefix: string;
}

/** Starts a Redis server before the tests of a file and ends it after them: by default one of ours, that may be broken. */
export function ownRedis(request: ServiceSettings | true = { kinds: ['system', 'package'] }): OwnRedis {
  const prefix = `test:${randomUUID()}`;
  let services: TestContainer;
  let client: Redis;
  beforeAll(async () => {
    services = await TestContainer.start({ redis: request });
    client = new Redis(services.redis.url);
  });
  afterAll(async () => {
    const keys = await client.keys(`${prefix}:*`);
    if (keys.length > 0) await client.del(keys);
    client.disconnect();
    await services.stop();
  });
  return {
    prefix,
    get url() {
      return services.redis.url;
    },
    get client() {
      return client;
    },
  };
}

/** The process of a Redis server, to be stopped and continued. */
export async function serverPid(url: string): Promise<number> {
  const client = new Redis(url);
  try {
    const info = await client.info('server');
    return Number(/process_id:(\d+)/.exec(info)?.[1]);
  } finally {
    client.disconnect();
  }
}

/** Freezes the server while `work` runs: it accepts connections and answers nothing. */
export async function whileFrozen<T>(pid: number, work: () => Promise<T>): Promise<T> {
  process.kill(pid, 'SIGSTOP');
  try {
    return await work();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

/** Ends the connections of all clients but the one that asks. */
export async function killClients(client: Redis): Promise<void> {
  for (const type of ['normal', 'pubsub']) await client.call('CLIENT', ['KILL', 'TYPE', type, 'SKIPME', 'yes']);
}

/** Unique for each call. */
export function newName(): string {
  names += 1;
  return `name${process.pid}-${names}`;
}

let names = 0;
