import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { APIIntegration } from '@safla/sdk/api';
import { EventBusIntegration, EventStream } from '@safla/sdk/events';
import { analysisTools, apiTools, eventTools, type MCPClient, MCPServer, memoryTools, type Tool } from '@safla/sdk/mcp';
import { LocalVectorMemory, type VectorMemoryProvider } from '@safla/sdk/memory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitUntil } from './support/wait-until.js';

async function withClient<T>(tools: readonly Tool[], work: (client: MCPClient) => Promise<T>): Promise<T> {
  await using server = new MCPServer({ name: 's', version: '1', tools });
  await using client = await server.connectInMemory();
  return await work(client);
}

const names = (tools: readonly Tool[]): string[] => tools.map(({ name }) => name);

describe('apiTools', () => {
  const seen: { method?: string | undefined; url?: string | undefined; body: string; key?: string | undefined }[] = [];
  const ended = { early: false };
  let backend: Server;
  let baseURL = '';

  beforeAll(async () => {
    backend = createServer(async (request: IncomingMessage, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      seen.push({ method: request.method, url: request.url, body, key: request.headers.authorization });
      if (request.url?.startsWith('/api/slow')) {
        response.on('close', () => {
          ended.early = true;
        });
        return;
      }
      const missing = request.url?.startsWith('/api/missing');
      response.writeHead(missing ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ secret: missing ? 'canary' : undefined, path: request.url }));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => backend.once('listening', resolve));
    baseURL = `http://127.0.0.1:${(backend.address() as AddressInfo).port}/api`;
  });
  afterAll(() => {
    backend.closeAllConnections();
    backend.close();
  });

  const api = (): APIIntegration => new APIIntegration({ baseURL, auth: 'the-key', policy: { retry: false } });

  it('let a model read why its path was refused', async () => {
    await using shop = api();
    await withClient(apiTools(shop), async (client) => {
      for (const path of ['../admin', '//elsewhere/x']) {
        const answer = await client.callTool('api_get', { path });
        expect(answer.isError).toBe(true);
        expect(answer.text).toContain(`endpoint under ${baseURL}: `);
        expect(answer.text).not.toContain('Reference');
      }
    });
  });

  it('only read unless writes are named', async () => {
    await using shop = api();
    expect(names(apiTools(shop))).toEqual(['api_get']);
    expect(names(apiTools(shop, { name: 'shop', allow: ['POST', 'DELETE'] }))).toEqual([
      'shop_get',
      'shop_post',
      'shop_delete',
    ]);
    expect(apiTools(shop)[0]?.annotations).toMatchObject({ readOnlyHint: true });
    expect(() => apiTools(shop, { allow: ['GET' as 'POST'] })).toThrow(/may hold POST, PUT, PATCH, DELETE/);
  });

  it('call the API with its own credential and give status and data', async () => {
    await using shop = api();
    await withClient(apiTools(shop, { allow: ['POST'] }), async (client) => {
      const got = await client.callTool('api_get', { path: '/orders/1', query: { page: 2 } });
      expect(got.structuredContent).toEqual({ status: 200, fromCache: false, data: { path: '/api/orders/1?page=2' } });
      expect(seen.at(-1)?.key).toContain('the-key');
      await client.callTool('api_post', { path: '/orders', body: { id: 1 } });
      expect(seen.at(-1)).toMatchObject({ method: 'POST', body: '{"id":1}' });
      expect(JSON.stringify(got)).not.toContain('the-key');
    });
  });

  it('tell a status, not the body behind it', async () => {
    await using shop = api();
    await withClient(apiTools(shop), async (client) => {
      const answer = await client.callTool('api_get', { path: '/missing' });
      expect(answer).toMatchObject({ isError: true, text: 'GET /missing was answered with status 404' });
    });
  });

  it.each(['https://evil.example/x', '//evil.example/x', '/../admin'])(
    'cannot be made to leave the base URL by %s',
    async (path) => {
      await using shop = api();
      const before = seen.length;
      await withClient(apiTools(shop), async (client) => {
        expect((await client.callTool('api_get', { path })).isError).toBe(true);
      });
      expect(seen.length).toBe(before);
    },
  );

  it('stop the request when the call is cancelled', async () => {
    await using shop = api();
    await withClient(apiTools(shop), async (client) => {
      const abort = new AbortController();
      const before = seen.length;
      const call = client.callTool('api_get', { path: '/slow' }, { signal: abort.signal });
      call.catch(() => undefined);
      await waitUntil(() => seen.length > before, 'the request arrived');
      abort.abort(new Error('enough'));
      await expect(call).rejects.toThrow('enough');
      await waitUntil(() => ended.early, 'the connection was closed');
    });
  });
});

describe('eventTools', () => {
  it('of a bus wait many times at once behind one listener', async () => {
    await using bus = new EventBusIntegration({ url: 'memory:' });
    await withClient(eventTools(bus), async (client) => {
      const waiting = Array.from({ length: 12 }, () =>
        client.callTool('events_wait', { channel: 'orders', timeoutMs: 20_000 }),
      );
      let most = 0;
      const all = Promise.all(waiting);
      const timer = setInterval(() => {
        most = Math.max(most, bus.listenerCount('event'));
        bus.publish('orders', { id: 7 }).catch(() => undefined);
      }, 10);
      expect((await all).map(({ structuredContent }) => structuredContent)).toEqual(
        Array(12).fill({ received: true, channel: 'orders', event: { id: 7 } }),
      );
      clearInterval(timer);
      expect(most).toBe(1);
      expect(bus.listenerCount('event')).toBe(0);
    });
  });

  it('of a bus wait for the next event, and publish when allowed', async () => {
    await using bus = new EventBusIntegration({ url: 'memory:' });
    expect(names(eventTools(bus))).toEqual(['events_wait']);
    await withClient(eventTools(bus, { allow: ['publish'], channels: ['orders'] }), async (client) => {
      const waiting = client.callTool('events_wait', { channel: 'orders', timeoutMs: 20_000 });
      let arrived = false;
      waiting.then(
        () => {
          arrived = true;
        },
        () => undefined,
      );
      while (!arrived) {
        await client.callTool('events_publish', { channel: 'orders', data: { id: 7 } });
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      expect((await waiting).structuredContent).toEqual({ received: true, channel: 'orders', event: { id: 7 } });
      expect(bus.listenerCount('event')).toBe(0);
      expect((await client.callTool('events_wait', { channel: 'orders', timeoutMs: 20 })).structuredContent).toEqual({
        received: false,
        channel: 'orders',
      });
      expect((await client.callTool('events_publish', { channel: 'other', data: 1 })).text).toContain(
        'channel: must be equal to one of',
      );
    });
  });

  it('of a stream read its log in steps', async () => {
    await using stream = new EventStream({ url: 'memory:' });
    await withClient(eventTools(stream, { name: 'log', allow: ['publish'] }), async (client) => {
      const ids: string[] = [];
      for (const n of [1, 2, 3]) {
        const { structuredContent } = await client.callTool('log_publish', { channel: 'orders', data: { n } });
        ids.push((structuredContent as { id: string }).id);
      }
      const first = (await client.callTool('log_read', { channel: 'orders', limit: 2 })).structuredContent as {
        events: { id: string; data: unknown }[];
        more: boolean;
      };
      expect(first).toMatchObject({ events: [{ data: { n: 1 } }, { data: { n: 2 } }], more: true });
      const rest = await client.callTool('log_read', { channel: 'orders', afterId: first.events[1]?.id });
      expect(rest.structuredContent).toMatchObject({ events: [{ id: ids[2], data: { n: 3 } }], more: false });
      const unknown = await client.callTool('log_read', { channel: 'orders', afterId: 'nothing' });
      expect(unknown.isError).toBe(true);
      expect(unknown.text).not.toContain('Reference');
    });
  });
});

describe('analysisTools', () => {
  const data = Array.from({ length: 48 }, (_, i) => 100 + 2 * i + 10 * Math.sin((2 * Math.PI * i) / 12));

  it.each([
    ['statistical', ['mean', 'median', 'standardDeviation', 'confidence', 'outliers']],
    ['pattern', ['patterns', 'frequency', 'anomalies', 'correlations']],
    ['trend', ['trend', 'slope', 'correlation', 'seasonality', 'forecast']],
  ])('answer %s analysis of numbers and of text with the same figures', async (analysisType, keys) => {
    await withClient(analysisTools(), async (client) => {
      const of = async (series: unknown): Promise<unknown> =>
        (await client.callTool('custom_analysis', { data: series, analysisType })).structuredContent;
      const fromNumbers = await of(data);
      expect(Object.keys(fromNumbers as object)).toEqual(expect.arrayContaining(keys));
      expect(await of(JSON.stringify(data))).toEqual(fromNumbers);
      expect(await of(data.join('\n'))).toEqual(fromNumbers);
      const { text } = await client.callTool('custom_analysis', { data, analysisType });
      expect(JSON.parse(text.replace('Analysis complete: ', ''))).toEqual(fromNumbers);
    });
  });

  it('forecast as far as asked, with intervals around the mean', async () => {
    await withClient(analysisTools(), async (client) => {
      const answer = await client.callTool('forecast', { data, horizon: 6, period: 12 });
      const { mean, lower, upper } = answer.structuredContent as Record<'mean' | 'lower' | 'upper', number[]>;
      expect(mean).toHaveLength(6);
      for (const [i, value] of mean.entries()) {
        expect(lower[i]).toBeLessThanOrEqual(value);
        expect(upper[i]).toBeGreaterThanOrEqual(value);
      }
    });
  });

  it('say what is wrong with a series', async () => {
    await withClient(analysisTools(), async (client) => {
      const words = await client.callTool('custom_analysis', { data: '1, 2, three', analysisType: 'trend' });
      expect(words).toMatchObject({ isError: true, text: expect.stringContaining('item 3') });
      const kind = await client.callTool('custom_analysis', { data, analysisType: 'magic' });
      expect(kind.text).toContain('analysisType: must be equal to one of the allowed values');
    });
  });
});

/** Counts letters: alike texts get alike vectors. */
const embed = async (texts: readonly string[]): Promise<number[][]> =>
  texts.map((text) => Array.from({ length: 26 }, (_, i) => text.split(String.fromCharCode(97 + i)).length - 1));

const remembering = (): LocalVectorMemory => new LocalVectorMemory({ embed });

describe('memoryTools', () => {
  it('only read unless writes are named', () => {
    expect(names(memoryTools(remembering()))).toEqual(['memory_search', 'memory_retrieve']);
    const all = memoryTools(remembering(), { name: 'notes', allow: ['store', 'delete'] });
    expect(names(all)).toEqual(['notes_search', 'notes_retrieve', 'notes_store', 'notes_delete']);
  });

  it('store, find, get and forget', async () => {
    const memory: VectorMemoryProvider = remembering();
    await withClient(memoryTools(memory, { allow: ['store', 'delete'] }), async (client) => {
      await client.callTool('memory_store', { id: 'a', text: 'a refund for a late order', metadata: { order: 1 } });
      await client.callTool('memory_store', { id: 'b', text: 'quiz' });
      const found = await client.callTool('memory_search', { text: 'order refund', limit: 1 });
      expect(found.structuredContent).toEqual({
        hits: [{ id: 'a', metadata: { order: 1 }, similarity: expect.closeTo(0.9, 0) }],
      });
      const [vector] = await embed(['quiz']);
      expect((await client.callTool('memory_search', { vector })).structuredContent).toMatchObject({
        hits: [{ id: 'b', similarity: expect.closeTo(1) }, { id: 'a' }],
      });
      const got = await client.callTool('memory_retrieve', { id: 'a' });
      expect(got.structuredContent).toEqual({ id: 'a', metadata: { order: 1 } });
      await client.callTool('memory_delete', { id: 'a' });
      expect(await client.callTool('memory_retrieve', { id: 'a' })).toMatchObject({
        isError: true,
        text: "Nothing is remembered under 'a'",
      });
    });
  });

  it('take either a text or a vector, not both and not none', async () => {
    await withClient(memoryTools(remembering()), async (client) => {
      expect((await client.callTool('memory_search', {})).isError).toBe(true);
      expect((await client.callTool('memory_search', { text: 'a', vector: [1] })).isError).toBe(true);
    });
  });

  it('say what is wrong with a vector, or that texts are not understood', async () => {
    await withClient(memoryTools(new LocalVectorMemory({ dimension: 3 })), async (client) => {
      const short = await client.callTool('memory_search', { vector: [1] });
      expect(short).toMatchObject({ isError: true, text: expect.stringContaining('3') });
      const text = await client.callTool('memory_search', { text: 'a' });
      expect(text).toMatchObject({ isError: true, text: expect.stringContaining('embed') });
    });
  });
});
