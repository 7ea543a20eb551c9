import { once } from 'node:events';
import { createServer as createHTTPServer, request } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClosedError, ConfigurationError } from '@safla/sdk/core';
import { FaultProxy } from '@safla/sdk/testing';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function echoServer(): Promise<{ port: number; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  cleanups.push(() => sockets.map((socket) => socket.destroy()));
  return { port: await listening(server), sockets };
}

async function proxyTo(target: string | { host: string; port: number }): Promise<FaultProxy> {
  const proxy = await FaultProxy.start({ target });
  cleanups.push(() => proxy.close());
  return proxy;
}

async function clientOf(port: number): Promise<{ socket: Socket; received: () => string }> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  cleanups.push(() => socket.destroy());
  return { socket, received: () => Buffer.concat(chunks).toString() };
}

async function echoThroughProxy(): Promise<{
  proxy: FaultProxy;
  client: Awaited<ReturnType<typeof clientOf>>;
  sockets: Socket[];
}> {
  const { port, sockets } = await echoServer();
  const proxy = await proxyTo({ host: '127.0.0.1', port });
  const client = await clientOf(proxy.port);
  await exchange(client, 'hello');
  return { proxy, client, sockets };
}

async function exchange(client: Awaited<ReturnType<typeof clientOf>>, text: string): Promise<void> {
  const before = client.received();
  client.socket.write(text);
  await expect.poll(client.received, { timeout: 10_000 }).toBe(before + text);
}

function failure(socket: Socket): Promise<NodeJS.ErrnoException> {
  return new Promise((resolve) => socket.once('error', resolve));
}

describe('FaultProxy', () => {
  it('forwards a URL target and keeps its credentials, path and query in its own url', async () => {
    const server = createHTTPServer((incoming, answer) =>
      answer.end(`${incoming.url} ${incoming.headers.authorization}`),
    );
    const port = await listening(server);
    const proxy = await proxyTo(`http://user:pass@127.0.0.1:${port}/base?q=1`);
    expect(proxy.url).toBe(`http://user:pass@127.0.0.1:${proxy.port}/base?q=1`);
    const [answer] = await once(request(proxy.url, { agent: false }).end(), 'response');
    let body = '';
    for await (const chunk of answer) body += String(chunk);
    expect(body).toBe(`/base?q=1 Basic ${btoa('user:pass')}`);
    expect(proxy.connections).toMatchObject({ accepted: 1, cut: 0 });
    expect(proxy.connections.bytesDown).toBeGreaterThan(body.length);
  });

  it('refuses a target without a port that its scheme does not tell', async () => {
    await expect(FaultProxy.start({ target: 'tcp://127.0.0.1' })).rejects.toThrow(ConfigurationError);
  });

  it('passes the end of each direction on its own', async () => {
    const { client, sockets } = await echoThroughProxy();
    client.socket.end('last words');
    await once(client.socket, 'end');
    expect(client.received()).toBe('hellolast words');
    expect(sockets[0]?.readableEnded).toBe(true);
  });

  it('passes a reset of the target on to the client', async () => {
    const { client, sockets } = await echoThroughProxy();
    const failed = failure(client.socket);
    sockets[0]?.resetAndDestroy();
    expect((await failed).code).toBe('ECONNRESET');
  });

  it('resets the client when the target does not listen', async () => {
    const { port } = await echoServer();
    await cleanups.pop()?.();
    const proxy = await proxyTo({ host: '127.0.0.1', port });
    const socket = connect(proxy.port, '127.0.0.1');
    expect((await failure(socket)).code).toBe('ECONNRESET');
  });

  it('cut resets both sides at once, and new connections work', async () => {
    const { proxy, client, sockets } = await echoThroughProxy();
    const failed = Promise.all([failure(client.socket), failure(sockets[0] as Socket)]);
    expect(proxy.cut()).toBe(1);
    expect((await failed).map(({ code }) => code)).toEqual(['ECONNRESET', 'ECONNRESET']);
    await expect
      .poll(() => proxy.connections)
      .toMatchObject({ open: 0, accepted: 1, cut: 1, bytesUp: 5, bytesDown: 5 });
    await exchange(await clientOf(proxy.port), 'again');
  });

  it('refuse refuses new connections and leaves open ones; heal accepts on the same port', async () => {
    const { proxy, client } = await echoThroughProxy();
    const { port } = proxy;
    proxy.refuse();
    expect((await failure(connect(port, '127.0.0.1'))).code).toBe('ECONNREFUSED');
    await exchange(client, ' still here');
    await proxy.heal();
    expect(proxy.port).toBe(port);
    await exchange(await clientOf(port), 'back');
  });

  it.each(['up', 'down'] as const)(
    'freeze holds back only the direction %s, and thaw lets everything pass in order',
    async (direction) => {
      const { proxy, client, sockets } = await echoThroughProxy();
      const arrived: string[] = [];
      sockets[0]?.on('data', (chunk) => arrived.push(String(chunk)));
      proxy.freeze({ direction });
      client.socket.write('1');
      await sleep(50);
      client.socket.write('2');
      await sleep(100);
      expect(arrived.join('')).toBe(direction === 'up' ? '' : '12');
      expect(client.received()).toBe('hello');
      proxy.thaw({ direction });
      await expect.poll(client.received).toBe('hello12');
    },
  );

  it('a frozen connection is half open: a reset of the target is not seen until the thaw', async () => {
    const { proxy, client, sockets } = await echoThroughProxy();
    proxy.freeze();
    sockets[0]?.resetAndDestroy();
    await sleep(100);
    expect(client.socket.destroyed).toBe(false);
    const failed = failure(client.socket);
    await proxy.heal();
    expect((await failed).code).toBe('ECONNRESET');
  });

  it('a connection made while frozen is accepted, silent, and served after the thaw', async () => {
    const { port } = await echoServer();
    const proxy = await proxyTo({ host: '127.0.0.1', port });
    proxy.freeze();
    const client = await clientOf(proxy.port);
    client.socket.write('early');
    await sleep(100);
    expect(client.received()).toBe('');
    proxy.thaw();
    await expect.poll(client.received).toBe('early');
  });

  it('delay adds latency to one direction and not the time between pieces', async () => {
    const { proxy, client, sockets } = await echoThroughProxy();
    const arrivals: number[] = [];
    client.socket.on('data', () => arrivals.push(performance.now()));
    let seenByServer = 0;
    sockets[0]?.on('data', () => {
      seenByServer = performance.now();
    });
    proxy.delay(500, { direction: 'down' });
    const sent = performance.now();
    for (let piece = 0; piece < 40; piece++) {
      client.socket.write('x');
      await sleep(2);
    }
    await expect.poll(() => client.received().length, { timeout: 25_000 }).toBe(45);
    const [first = 0] = arrivals;
    const last = arrivals.at(-1) ?? 0;
    expect(first - sent).toBeGreaterThanOrEqual(499);
    // One delay after the other would put 39 x 500 ms between the first and the last.
    expect(last - first).toBeLessThan(10_000);
    expect(seenByServer).toBeLessThan(last);
  });

  it('throttle limits the throughput of one direction, loses nothing, and heal ends it', async () => {
    const { proxy, client } = await echoThroughProxy();
    proxy.throttle(10_000, { direction: 'down' });
    const text = 'x'.repeat(5_000);
    const start = performance.now();
    await exchange(client, text);
    // 5,000 bytes at 10,000 per second, of which the first slice of 20 ms passes at once.
    expect(performance.now() - start).toBeGreaterThan(450);
    client.socket.write('y'.repeat(200_000));
    await expect.poll(() => proxy.connections.bytesUp, { timeout: 10_000 }).toBe(205_005);
    expect(proxy.connections.bytesDown).toBeLessThan(205_005);
    await proxy.heal();
    await expect.poll(() => client.received().length, { timeout: 10_000 }).toBe(205_005);
    for (const wrong of [0, -1, Number.NaN]) expect(() => proxy.throttle(wrong)).toThrow(ConfigurationError);
  });

  it('heal lets delayed bytes pass at once and ends the delay', async () => {
    const { proxy, client } = await echoThroughProxy();
    proxy.delay(3_600_000);
    client.socket.write('stuck');
    await sleep(50);
    expect(client.received()).toBe('hello');
    await proxy.heal();
    await expect.poll(client.received).toBe('hellostuck');
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])('refuses a delay of %s ms', async (ms) => {
    const proxy = await proxyTo({ host: '127.0.0.1', port: 9 });
    expect(() => proxy.delay(ms)).toThrow(ConfigurationError);
  });

  it.each([
    ['no options', undefined],
    ['no target', {}],
    ['a text that is no URL', { target: 'localhost' }],
    ['a host without port', { target: { host: 'localhost' } }],
    ['a port that is none', { target: { host: 'localhost', port: 70_000 } }],
    ['an empty host', { target: { host: '', port: 1 } }],
    ['a scheme without usual port', { target: 'foo://localhost' }],
  ])('refuses %s', async (_, options) => {
    await expect(FaultProxy.start(options as never)).rejects.toThrow(ConfigurationError);
  });

  it('does not show a target that it refuses', async () => {
    const refused = FaultProxy.start({ target: 'redis://:hunter2@' });
    await expect(refused).rejects.toThrow(expect.objectContaining({ message: expect.not.stringContaining('hunter2') }));
  });

  it('refuses a direction that is none', async () => {
    const proxy = await proxyTo({ host: '127.0.0.1', port: 9 });
    expect(() => proxy.freeze({ direction: 'left' as never })).toThrow(ConfigurationError);
    expect(() => proxy.delay(1, { direction: 'left' as never })).toThrow(ConfigurationError);
  });

  it('settles a heal that is overtaken by close or refuse', async () => {
    const proxy = await proxyTo({ host: '127.0.0.1', port: 9 });
    proxy.refuse();
    const overtaken = proxy.heal();
    proxy.refuse();
    await overtaken;
    const { port } = proxy;
    expect((await failure(connect(port, '127.0.0.1'))).code).toBe('ECONNREFUSED');
    const healing = expect(proxy.heal()).rejects.toThrow(ClosedError);
    await proxy.close();
    await healing;
    expect((await failure(connect(port, '127.0.0.1'))).code).toBe('ECONNREFUSED');
  });

  it('slows a sender down when the receiver does not read', async () => {
    const held: Socket[] = [];
    const server = createServer({ pauseOnConnect: true }, (socket) => held.push(socket));
    const proxy = await proxyTo({ host: '127.0.0.1', port: await listening(server) });
    const { socket } = await clientOf(proxy.port);
    cleanups.push(() => held.map((one) => one.destroy()));
    const block = Buffer.alloc(1_048_576);
    let written = 0;
    for (let index = 0; index < 64; index++) socket.write(block, () => written++);
    await sleep(500);
    const stuckAt = written;
    expect(stuckAt).toBeLessThan(64);
    held[0]?.resume();
    await expect.poll(() => written, { timeout: 20_000 }).toBe(64);
    expect(proxy.connections.bytesUp).toBeGreaterThan(stuckAt);
  });

  it('loses and reorders nothing, whatever faults come while bytes flow', async () => {
    const { port } = await echoServer();
    const proxy = await proxyTo({ host: '127.0.0.1', port });
    const direction = fc.constantFrom('up' as const, 'down' as const, 'both' as const);
    const fault = fc.oneof(
      fc.record({ kind: fc.constant('freeze' as const), direction }),
      fc.record({ kind: fc.constant('thaw' as const), direction }),
      fc.record({ kind: fc.constant('delay' as const), direction, ms: fc.integer({ min: 0, max: 8 }) }),
      fc.record({ kind: fc.constant('throttle' as const), direction, rate: fc.integer({ min: 1, max: 1e6 }) }),
    );
    const step = fc.record({ bytes: fc.uint8Array({ minLength: 1, maxLength: 5_000 }), fault });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const socket = connect(proxy.port, '127.0.0.1');
        const chunks: Buffer[] = [];
        socket.on('data', (chunk) => chunks.push(chunk));
        for (const { bytes, fault } of steps) {
          if (fault.kind === 'delay') proxy.delay(fault.ms, fault);
          else if (fault.kind === 'throttle') proxy.throttle(fault.rate, fault);
          else proxy[fault.kind](fault);
          socket.write(bytes);
          await sleep(1);
        }
        socket.end();
        await proxy.heal();
        await once(socket, 'close');
        expect(Buffer.concat(chunks)).toEqual(Buffer.concat(steps.map(({ bytes }) => bytes)));
      }),
      { numRuns: 40 },
    );
  });

  it('close ends connections, frees the port and can be repeated; heal after it is refused', async () => {
    const { proxy, client } = await echoThroughProxy();
    const closed = once(client.socket, 'close');
    await proxy.close();
    await proxy.close();
    client.socket.end();
    await closed;
    expect(proxy.connections.open).toBe(0);
    expect((await failure(connect(proxy.port, '127.0.0.1'))).code).toBe('ECONNREFUSED');
    await expect(proxy.heal()).rejects.toThrow(ClosedError);
  });
});
