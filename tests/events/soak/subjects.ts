import { setTimeout as sleep } from 'node:timers/promises';
import { inProcess, redisStreams } from '@safla/sdk/events';
import { jetstream } from '@safla/sdk/events/jetstream';
import { FaultProxy } from '@safla/sdk/testing';
import { Redis } from 'ioredis';
import type { SoakSubject } from './event-soak.js';
import { natsPlan, redisPlan, ServerProgram } from './server-program.js';

const hourMs = 3_600_000;

/** A subject and the servers it needs. */
export interface OpenSubject extends SoakSubject, AsyncDisposable {}

export const subjects = { memory, redis, jetstream: nats } satisfies Record<string, () => Promise<OpenSubject>>;

/** Nothing can break within one process but the handlers: here for comparison. */
async function memory(): Promise<OpenSubject> {
  const transport = inProcess({ maxItems: 1_000_000, maxIds: 1_000_000 });
  return {
    name: 'in-process',
    once: true,
    dedupeWindowMs: hourMs,
    connect: () => transport,
    faults: {},
    [Symbol.asyncDispose]: () => transport.close(),
  };
}

async function redis(): Promise<OpenSubject> {
  const server = await ServerProgram.start(redisPlan);
  const url = `redis://127.0.0.1:${server.port}`;
  return {
    name: 'Redis Streams',
    once: true,
    dedupeWindowMs: hourMs,
    connect: () => redisStreams({ url, prefix: 'soak', deadAfterMs: 10_000 }),
    faults: {
      'CLIENT KILL': async () => {
        const admin = new Redis(url, { retryStrategy: null });
        await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub', 'SKIPME', 'yes');
        admin.disconnect();
      },
      SIGSTOP: (random) => server.freeze(200 + random() * 2_000),
      'kill -9': async (random) => {
        await server.kill();
        await sleep(random() * 300);
        await server.run();
      },
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function nats(): Promise<OpenSubject> {
  const server = await ServerProgram.start(natsPlan);
  const proxy = await FaultProxy.start({ target: `nats://127.0.0.1:${server.port}` });
  return {
    name: 'JetStream',
    // nats-server 2.9 writes acknowledgements to the disk a little later: kill -9 takes the last ones.
    once: false,
    dedupeWindowMs: hourMs,
    connect: () =>
      jetstream({
        servers: proxy.url,
        // Or the client would learn the server's own address, and go there past the proxy.
        connect: { ignoreClusterUpdates: true },
        dedupeWindowMs: hourMs,
        ackWaitMs: 10_000,
        requestTimeoutMs: 2_000,
      }),
    faults: {
      'connections cut': async () => {
        proxy.cut();
      },
      SIGSTOP: (random) => server.freeze(200 + random() * 2_000),
      'kill -9': async (random) => {
        await server.kill();
        await sleep(random() * 300);
        await server.run();
      },
    },
    async [Symbol.asyncDispose]() {
      await proxy.close();
      await server[Symbol.asyncDispose]();
    },
  };
}
