import { Redis } from 'ioredis';

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
