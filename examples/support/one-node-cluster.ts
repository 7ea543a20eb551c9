import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

/** The smallest Redis Cluster: one node that owns all slots. */
export async function startOneNodeCluster(): Promise<{ readonly port: number } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'safla-example-'));
  const port = await freePort();
  const settings = [
    '--cluster-enabled',
    'yes',
    '--save',
    '',
    '--dir',
    folder,
    '--bind',
    '127.0.0.1',
    '--cluster-announce-ip',
    '127.0.0.1',
  ];
  const server = spawn('redis-server', ['--port', String(port), ...settings], { stdio: 'ignore' });
  const ended = once(server, 'exit');
  const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 50 });
  client.on('error', () => undefined);
  await client.call('CLUSTER', ['ADDSLOTSRANGE', 0, 16_383]);
  while (!String(await client.call('CLUSTER', ['INFO'])).includes('cluster_state:ok')) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  client.disconnect();
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The bus between the nodes of a cluster listens 10000 above. */
async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    server.close();
    if (address !== null && typeof address === 'object' && address.port < 55_000) return address.port;
  }
}
