import {
  AccessDeniedError,
  ClosedError,
  ConnectionError,
  QueueFullError,
  TimeoutError,
  ValidationError,
  withContext,
} from '@safla/sdk/core';
import { GraphQLIntegration, type GraphQLIntegrationOptions, GraphQLRequestError, gql } from '@safla/sdk/graphql';
import { FaultProxy } from '@safla/sdk/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { rejection, until } from './support/rejection.js';
import { type Shop, startShop } from './support/shop.js';

let shop: Shop;

beforeAll(async () => {
  shop = await startShop();
});

afterAll(() => shop[Symbol.asyncDispose]());

const quick = { reconnect: { baseDelayMs: 5, maxDelayMs: 50 } };
const open = (options: Partial<GraphQLIntegrationOptions> = {}): GraphQLIntegration =>
  new GraphQLIntegration({ endpoint: shop.url, subscriptions: quick, ...options });

async function all<T>(events: AsyncIterable<T>, limit = Number.POSITIVE_INFINITY): Promise<T[]> {
  const got: T[] = [];
  for await (const event of events) {
    got.push(event);
    if (got.length >= limit) break;
  }
  return got;
}

const ticks = gql<
  { ticks: number },
  { everyMs: number }
>`subscription Ticks($everyMs: Int!) { ticks(everyMs: $everyMs) }`;

describe('subscribe', () => {
  it('gives the events and ends with the server', async () => {
    await using graphql = open();
    const events = graphql.subscribe('subscription Down($from: Int!) { countdown(from: $from) }', { from: 2 });
    expect(await all(events)).toEqual([{ countdown: 2 }, { countdown: 1 }, { countdown: 0 }]);
    expect(graphql.stats().subscriptions).toEqual({ active: 0, reconnects: 0, dropped: 0 });
  });

  it('unsubscribes when the loop is left', async () => {
    await using graphql = open();
    expect(await all(graphql.subscribe(ticks, { everyMs: 1 }), 3)).toHaveLength(3);
    await until(() => shop.running() === 0);
  });

  it('unsubscribes by return() while an event is waited for', async () => {
    await using graphql = open();
    const events = graphql.subscribe(ticks, { everyMs: 60_000 });
    await events.next();
    const waiting = events.next();
    await events.return?.();
    await expect(waiting).resolves.toEqual({ done: true, value: undefined });
    await expect(events.next()).resolves.toEqual({ done: true, value: undefined });
    expect(graphql.stats().subscriptions.active).toBe(0);
  });

  it('shares one connection, and connects for the first only', async () => {
    await using graphql = open();
    const before = shop.connectionParams.length;
    const first = graphql.subscribe(ticks, { everyMs: 5 });
    const second = graphql.subscribe(ticks, { everyMs: 5 });
    expect(shop.connectionParams.length).toBe(before);
    await Promise.all([first.next(), second.next()]);
    expect(shop.connectionParams.length - before).toBe(1);
    await first.return?.();
    await expect(second.next()).resolves.toMatchObject({ done: false });
    await second.return?.();
  });

  it('sends the headers as connection parameters and with the upgrade', async () => {
    await using graphql = open({ headers: async () => ({ Authorization: 'Bearer a' }) });
    await all(graphql.subscribe(ticks, { everyMs: 1 }), 1);
    expect(shop.connectionParams.at(-1)).toEqual({ authorization: 'Bearer a' });
    expect(shop.upgrades.at(-1)).toMatchObject({ authorization: 'Bearer a' });
  });

  it('lets connection parameters be made of the headers', async () => {
    const connectionParams = (headers: Readonly<Record<string, string>>) => ({ headers });
    await using graphql = open({ headers: { authorization: 'a' }, subscriptions: { connectionParams } });
    await all(graphql.subscribe(ticks, { everyMs: 1 }), 1);
    expect(shop.connectionParams.at(-1)).toEqual({ headers: { authorization: 'a' } });
  });

  it.each([
    ['query', '{ users { id } }', /it is a query, not a subscription: call query\(\)/],
    ['text that is not GraphQL', 'subscription {', /at 1:15/],
  ])('refuses a %s', async (_, document, message) => {
    await using graphql = open();
    const error = await rejection(all(graphql.subscribe(document)));
    expect(error).toBeInstanceOf(ValidationError);
    expect(error.message).toMatch(message);
  });
});

describe('errors in a subscription', () => {
  it('reject with what the server says', async () => {
    await using graphql = open();
    const error = await rejection(all(graphql.subscribe('subscription No { rejected }')));
    expect(error).toBeInstanceOf(GraphQLRequestError);
    expect(error).toMatchObject({ serverCode: 'FORBIDDEN' });
    expect(error.message).toContain('subscription No at ws://');
  });

  it('of one event end it, or leave it out', async () => {
    await using graphql = open();
    const events = graphql.subscribe('subscription { faulty }');
    await expect(events.next()).resolves.toEqual({ done: false, value: { faulty: 1 } });
    expect(await rejection(events.next())).toBeInstanceOf(GraphQLRequestError);
    await expect(events.next()).resolves.toEqual({ done: true, value: undefined });
    await until(() => shop.running() === 0);
    const rest = await all(graphql.subscribe('subscription { faulty }', {}, { errorPolicy: 'ignore' }));
    expect(rest).toEqual([{ faulty: 1 }, { faulty: null }, { faulty: 3 }]);
  });
});

describe('the end of a subscription', () => {
  it('comes with the signal, its time, and the surrounding context', async () => {
    await using graphql = open();
    const reason = new Error('enough');
    const controller = new AbortController();
    const aborted = all(graphql.subscribe(ticks, { everyMs: 60_000 }, { signal: controller.signal }));
    setTimeout(() => controller.abort(reason), 20);
    expect(await rejection(aborted)).toBe(reason);
    expect(await rejection(all(graphql.subscribe(ticks, { everyMs: 60_000 }, { timeoutMs: 50 })))).toBeInstanceOf(
      TimeoutError,
    );
    const inContext = withContext({ timeoutMs: 50 }, () => all(graphql.subscribe(ticks, { everyMs: 60_000 })));
    expect(await rejection(inContext)).toBeInstanceOf(TimeoutError);
    await until(() => shop.running() === 0);
  });

  it('comes at once with a signal that has aborted', async () => {
    await using graphql = open();
    const before = shop.connectionParams.length;
    const signal = AbortSignal.abort(new Error('before'));
    expect((await rejection(all(graphql.subscribe(ticks, { everyMs: 1 }, { signal })))).message).toBe('before');
    expect(shop.connectionParams.length).toBe(before);
  });

  it('comes with close, and nothing begins after it', async () => {
    const graphql = open();
    const events = graphql.subscribe(ticks, { everyMs: 60_000 });
    const late = graphql.subscribe(ticks, { everyMs: 1 });
    await events.next();
    const waiting = rejection(events.next());
    await graphql.close();
    expect(await waiting).toBeInstanceOf(ClosedError);
    expect(await rejection(late.next())).toBeInstanceOf(ClosedError);
    expect(() => graphql.subscribe(ticks, { everyMs: 1 })).toThrow(ClosedError);
  });

  it('does not wait for a server that does not answer', async () => {
    await using proxy = await FaultProxy.start({ target: shop.wsUrl });
    const graphql = open({ subscriptionUrl: proxy.url });
    const events = graphql.subscribe(ticks, { everyMs: 5 });
    await events.next();
    proxy.freeze();
    await graphql.close({ timeoutMs: 200 });
  });
});

describe('a lost connection', () => {
  it('is opened and subscribed again', async () => {
    await using proxy = await FaultProxy.start({ target: shop.wsUrl });
    await using graphql = open({ subscriptionUrl: proxy.url });
    let again = 0;
    const events = graphql.subscribe(ticks, { everyMs: 5 }, { onReconnect: () => (again += 1) });
    await events.next();
    await events.next();
    for (let cut = 1; cut <= 3; cut++) {
      proxy.cut();
      // The source on the server begins anew.
      for (;;) if ((await events.next()).value?.ticks === 0) break;
      expect(graphql.stats().subscriptions.reconnects).toBe(cut);
    }
    expect(again).toBe(3);
    await events.return?.();
  });

  it('is opened again after an outage', async () => {
    await using proxy = await FaultProxy.start({ target: shop.wsUrl });
    await using graphql = open({
      subscriptionUrl: proxy.url,
      subscriptions: { reconnect: { ...quick.reconnect, maxAttempts: 1_000 } },
    });
    const events = graphql.subscribe(ticks, { everyMs: 5 });
    await events.next();
    proxy.refuse();
    proxy.cut();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await proxy.heal();
    for (;;) if ((await events.next()).value?.ticks === 0) break;
    await events.return?.();
  });

  it('rejects when it is not to be opened again, or not within the attempts', async () => {
    await using proxy = await FaultProxy.start({ target: shop.wsUrl });
    for (const reconnect of [false, { maxAttempts: 2, baseDelayMs: 1 }] as const) {
      await using graphql = open({ subscriptionUrl: proxy.url, subscriptions: { reconnect } });
      const events = graphql.subscribe(ticks, { everyMs: 60_000 });
      await events.next();
      proxy.refuse();
      proxy.cut();
      const error = await rejection(events.next());
      expect(error).toBeInstanceOf(ConnectionError);
      expect(error.message).toContain('subscription Ticks at ws://');
      await proxy.heal();
    }
  });

  it('is noticed by its silence', async () => {
    await using proxy = await FaultProxy.start({ target: shop.wsUrl });
    await using graphql = open({ subscriptionUrl: proxy.url, subscriptions: { ...quick, heartbeatMs: 100 } });
    const events = graphql.subscribe(ticks, { everyMs: 5 });
    await events.next();
    proxy.freeze();
    await until(() => proxy.connections.accepted >= 2);
    await proxy.heal();
    for (;;) if ((await events.next()).value?.ticks === 0) break;
    await events.return?.();
  });
});

describe('a server that cannot be used', () => {
  it('is not there', async () => {
    await using graphql = open({ subscriptionUrl: 'ws://127.0.0.1:1/graphql', subscriptions: { reconnect: false } });
    const error = await rejection(all(graphql.subscribe(ticks, { everyMs: 1 })));
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ systemCode: 'ECONNREFUSED' });
  });

  it('answers with HTTP', async () => {
    await using graphql = open({ subscriptionUrl: shop.wsUrl.replace('/graphql', '/elsewhere') });
    const error = await rejection(all(graphql.subscribe(ticks, { everyMs: 1 })));
    expect(error).toMatchObject({ code: 'PROTOCOL' });
    expect(error.message).toContain('answered 400 instead of opening a WebSocket');
  });

  it.each([
    ['never acknowledges', () => undefined, 'CONNECTION'],
    ['speaks no GraphQL', (send: (text: string) => void) => send('canary hello'), 'PROTOCOL'],
    ['closes every connection', (_: unknown, close: () => void) => close(), 'PROTOCOL'],
    ['sends more than is taken', (send: (text: string) => void) => send('x'.repeat(5_000)), 'PROTOCOL'],
  ] as const)('%s', async (_, behave, code) => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'graphql-transport-ws' });
    await new Promise((resolve) => server.once('listening', resolve));
    server.on('connection', (socket) =>
      behave(
        (text) => socket.send(text),
        () => socket.close(1000, 'bye'),
      ),
    );
    const { port } = server.address() as { port: number };
    const reconnect = { maxAttempts: 2, baseDelayMs: 1 };
    await using graphql = open({
      subscriptionUrl: `ws://127.0.0.1:${port}`,
      maxResponseBytes: 1_000,
      subscriptions: { reconnect, connectTimeoutMs: 50 },
    });
    const error = await rejection(all(graphql.subscribe(ticks, { everyMs: 1 })));
    expect(error).toMatchObject({ code });
    expect(error.message).not.toContain('canary');
    server.close();
    for (const client of server.clients) client.terminate();
  });
});

describe('refused credentials', () => {
  it('are asked for again once, for all subscriptions', async () => {
    await using guarded = await startShop({ admits: (authorization) => authorization === 'fresh' });
    const asked: boolean[] = [];
    await using graphql = new GraphQLIntegration({
      endpoint: guarded.url,
      headers: async ({ refresh }) => {
        asked.push(refresh);
        return { authorization: refresh ? 'fresh' : 'stale' };
      },
    });
    const events = [1, 2, 3].map(() => graphql.subscribe(ticks, { everyMs: 5 }));
    await Promise.all(events.map((each) => each.next()));
    expect(asked).toEqual([false, true]);
    await Promise.all(events.map((each) => each.return?.()));
  });

  it('reject when the new ones are refused too, or there are none', async () => {
    await using guarded = await startShop({ admits: () => false });
    for (const headers of [() => ({ authorization: 'secret-1' }), { authorization: 'secret-2' }]) {
      await using graphql = new GraphQLIntegration({ endpoint: guarded.url, headers });
      const error = await rejection(all(graphql.subscribe(ticks, { everyMs: 1 })));
      expect(error).toBeInstanceOf(AccessDeniedError);
      expect(error.message).not.toContain('secret');
    }
  });

  it('reject with what the function throws', async () => {
    await using graphql = open({
      headers: () => {
        throw new Error('no token');
      },
    });
    expect((await rejection(all(graphql.subscribe(ticks, { everyMs: 1 })))).message).toBe('no token');
  });
});

describe('a reader that is slower than the server', () => {
  it('gets what fits, then QueueFullError', async () => {
    await using graphql = open();
    const events = graphql.subscribe('subscription { flood }', {}, { buffer: { maxItems: 5 } });
    await events.next();
    await new Promise((resolve) => setTimeout(resolve, 200));
    for (let i = 0; i < 5; i++) await expect(events.next()).resolves.toMatchObject({ done: false });
    expect(await rejection(events.next())).toBeInstanceOf(QueueFullError);
    await until(() => shop.running() === 0);
  });

  it('is bounded in bytes too', async () => {
    await using graphql = open();
    const events = graphql.subscribe('subscription { flood }', {}, { buffer: { maxBytes: 5_000 } });
    await events.next();
    await new Promise((resolve) => setTimeout(resolve, 200));
    let read = 0;
    const error = await rejection(
      (async () => {
        for (;;) {
          await events.next();
          read += 1;
        }
      })(),
    );
    expect(error).toBeInstanceOf(QueueFullError);
    expect(read).toBeLessThanOrEqual(5);
  });

  it.each(['drop-oldest', 'drop-newest'] as const)('loses events under %s, counted', async (overflow) => {
    await using graphql = open();
    const events = graphql.subscribe('subscription { flood }', {}, { buffer: { maxItems: 2, overflow } });
    await events.next();
    await new Promise((resolve) => setTimeout(resolve, 200));
    await events.next();
    await events.return?.();
    expect(graphql.stats().subscriptions.dropped).toBeGreaterThan(0);
  });
});
