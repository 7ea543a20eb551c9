import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster, Redis } from 'ioredis';

const masters = 3;
const slots = 16_384;

/** Three masters with a replica each, on 127.0.0.1, without passwords. */
export interface TestCluster extends AsyncDisposable {
  connect(): Cluster;
  /** Kills the master of a key as a crash would. Gives its port. */
  killMasterOf(key: string): Promise<number>;
}

/** Starts a cluster: each node knows its slots at once, and they meet by gossip. */
export async function startCluster(): Promise<TestCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'safla-cluster-'));
  const ports = await freePorts(masters * 2);
  const nodes = new Map<number, ChildProcess>();
  for (const port of ports) nodes.set(port, startNode(folder, port));
  const end = async (): Promise<void> => {
    await Promise.all([...nodes.values()].map(stop));
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once('exit', () => {
    for (const node of nodes.values()) node.kill('SIGKILL');
  });
  try {
    await form(ports);
  } catch (error) {
    await end();
    throw error;
  }
  const startup = ports.map((port) => ({ host: '127.0.0.1', port }));
  return {
    connect: () =>
      new Cluster(startup, { slotsRefreshInterval: 500, redisOptions: { connectTimeout: 2_000 } }).on(
        'error',
        () => undefined,
      ),
    async killMasterOf(key) {
      const port = await masterOf(ports, nodes, key);
      const node = nodes.get(port);
      if (!node) throw new Error(`no node on port ${port}`);
      node.kill('SIGKILL');
      return port;
    },
    [Symbol.asyncDispose]: end,
  };
}

function startNode(folder: string, port: number): ChildProcess {
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: folder,
    'cluster-enabled': 'yes',
    'cluster-config-file': `nodes-${port}.conf`,
    'cluster-node-timeout': 1_500,
    dbfilename: `dump-${port}.rdb`,
    save: '',
    'repl-diskless-sync-delay': 0,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return spawn('redis-server', args, { stdio: 'ignore' });
}

async function form(ports: readonly number[]): Promise<void> {
  const clients = ports.map((port) => new Redis({ port, host: '127.0.0.1', retryStrategy: () => 50 }));
  try {
    for (const client of clients) client.on('error', () => undefined);
    await Promise.all(clients.map((client) => client.ping()));
    const share = Math.ceil(slots / masters);
    await Promise.all(
      clients.slice(0, masters).map(async (client, index) => {
        await client.call('CLUSTER', ['ADDSLOTSRANGE', index * share, Math.min(slots, (index + 1) * share) - 1]);
        await client.call('CLUSTER', ['SET-CONFIG-EPOCH', index + 1]);
      }),
    );
    for (const port of ports.slice(1)) await clients[0]?.call('CLUSTER', ['MEET', '127.0.0.1', port]);
    await eventually(async () => {
      const views = await Promise.all(clients.map((client) => client.call('CLUSTER', ['NODES'])));
      return views.every((view) => String(view).trim().split('\n').length === ports.length);
    });
    await Promise.all(
      clients.slice(masters).map(async (client, index) => {
        const id = await clients[index]?.call('CLUSTER', ['MYID']);
        await eventually(
          async () => (await client.call('CLUSTER', ['REPLICATE', String(id)]).catch(() => '')) === 'OK',
        );
      }),
    );
    await eventually(async () => {
      const views = await Promise.all(clients.map((client) => client.call('CLUSTER', ['INFO'])));
      const links = await Promise.all(clients.slice(masters).map((client) => client.info('replication')));
      return (
        views.every((view) => String(view).includes('cluster_state:ok')) &&
        links.every((link) => link.includes('master_link_status:up'))
      );
    });
  } finally {
    for (const client of clients) client.disconnect();
  }
}

async function masterOf(
  ports: readonly number[],
  nodes: ReadonlyMap<number, ChildProcess>,
  key: string,
): Promise<number> {
  const alive = ports.find((port) => nodes.get(port)?.signalCode === null);
  const client = new Redis({ port: alive ?? 0, host: '127.0.0.1' });
  try {
    const slot = Number(await client.call('CLUSTER', ['KEYSLOT', key]));
    const ranges = (await client.call('CLUSTER', ['SLOTS'])) as [number, number, [string, number]][];
    const range = ranges.find(([from, to]) => from <= slot && slot <= to);
    if (!range) throw new Error(`no node has slot ${slot}`);
    return range[2][1];
  } finally {
    client.disconnect();
  }
}

/** Ports that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      for (;;) {
        const server = createServer();
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        const address = server.address();
        // The cluster bus listens 10000 above.
        if (address && typeof address === 'object' && address.port < 55_000) return { server, port: address.port };
        server.close();
      }
    }),
  );
  for (const { server } of servers) await new Promise((resolve) => server.close(resolve));
  return servers.map(({ port }) => port);
}

async function stop(node: ChildProcess): Promise<void> {
  if (node.exitCode !== null || node.signalCode !== null) return;
  const ended = new Promise((resolve) => node.once('exit', resolve));
  node.kill('SIGKILL');
  await ended;
}

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  const until = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > until) throw new Error('the cluster did not form');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
