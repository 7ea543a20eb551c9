import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePorts } from './redis-cluster-support.js';
import { until } from './support.js';

/** A primary with two replicas, and a Sentinel that watches it; on 127.0.0.1, without passwords. */
export interface TestSentinel extends AsyncDisposable {
  /** A client that follows the primary. */
  connect(): Redis;
  /** Kills the primary as a crash would. Gives its port. */
  killPrimary(): Promise<number>;
}

const name = 'events';

export async function startSentinel(): Promise<TestSentinel> {
  const folder = await mkdtemp(join(tmpdir(), 'safla-sentinel-'));
  const [sentinelPort = 0, primaryPort = 0, ...replicaPorts] = await freePorts(4);
  const processes = new Map<number, ChildProcess>();
  const start = (port: number, args: readonly string[]): void => {
    processes.set(port, spawn('redis-server', args, { stdio: 'ignore', cwd: folder }));
  };
  const serve = (port: number, more: readonly string[]): void =>
    start(port, [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
      ...['--dbfilename', `${port}.rdb`, '--repl-diskless-sync-delay', '0', ...more],
    ]);
  const end = async (): Promise<void> => {
    await Promise.all([...processes.values()].map(stop));
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once('exit', () => {
    for (const child of processes.values()) child.kill('SIGKILL');
  });
  try {
    serve(primaryPort, []);
    for (const port of replicaPorts) serve(port, ['--replicaof', '127.0.0.1', String(primaryPort)]);
    await ask(primaryPort, 'INFO', ['replication'], (text) => (text.match(/state=online/g) ?? []).length === 2);
    const settings = join(folder, 'sentinel.conf');
    const lines = [
      `port ${sentinelPort}`,
      'bind 127.0.0.1',
      `sentinel monitor ${name} 127.0.0.1 ${primaryPort} 1`,
      `sentinel down-after-milliseconds ${name} 1000`,
      `sentinel failover-timeout ${name} 5000`,
    ];
    await writeFile(settings, `${lines.join('\n')}\n`);
    start(sentinelPort, [settings, '--sentinel']);
    await ask(sentinelPort, 'INFO', ['sentinel'], (text) => text.includes('slaves=2'));
  } catch (error) {
    await end();
    throw error;
  }
  return {
    connect: () =>
      new Redis({
        sentinels: [{ host: '127.0.0.1', port: sentinelPort }],
        name,
        sentinelRetryStrategy: () => 100,
        retryStrategy: () => 100,
        maxRetriesPerRequest: null,
      }).on('error', () => undefined),
    async killPrimary() {
      const client = new Redis({ host: '127.0.0.1', port: sentinelPort });
      const [, port] = (await client.call('SENTINEL', ['get-master-addr-by-name', name])) as [string, string];
      client.disconnect();
      processes.get(Number(port))?.kill('SIGKILL');
      return Number(port);
    },
    [Symbol.asyncDispose]: end,
  };
}

async function ask(
  port: number,
  command: string,
  args: readonly string[],
  holds: (answer: string) => boolean,
): Promise<void> {
  const client = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 50, maxRetriesPerRequest: null });
  client.on('error', () => undefined);
  try {
    await until(async () => holds(String(await client.call(command, [...args]))));
  } finally {
    client.disconnect();
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}
