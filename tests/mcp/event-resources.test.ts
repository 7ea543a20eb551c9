import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { EventBusIntegration, EventStream } from '@safla/sdk/events';
import { eventResources, MCPServer } from '@safla/sdk/mcp';
import { describe, expect, it } from 'vitest';
import { waitUntil } from './support/wait-until.js';

interface Shown {
  readonly dropped: number;
  readonly events: { readonly id?: string; readonly time: string; readonly data: unknown }[];
}

async function read(server: MCPServer, uri: string): Promise<Shown> {
  await using client = await server.connectInMemory();
  const [contents] = await client.readResource(uri);
  return JSON.parse(contents?.text ?? '') as Shown;
}

describe('eventResources', () => {
  it('show the latest events of a bus and tell a subscribed client that there are more', async () => {
    await using bus = new EventBusIntegration({ url: 'memory:' });
    await using server = new MCPServer({ name: 's', version: '1' });
    await using _shown = await eventResources(server, bus, { channels: ['orders', 'a b'], keep: 2, everyMs: 1 });
    const { url } = await server.listen();
    const updated: string[] = [];
    const client = new Client({ name: 'raw', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => void updated.push(params.uri));
    await client.connect(new StreamableHTTPClientTransport(new URL(url)));
    try {
      expect((await client.listResources()).resources.map(({ uri }) => uri)).toEqual([
        'events://orders',
        'events://a%20b',
      ]);
      await client.listen({ resourceSubscriptions: ['events://orders'] });
      for (const n of [1, 2, 3]) await bus.publish('orders', { n });
      await waitUntil(() => updated.includes('events://orders'), 'the client was told');
      expect(await read(server, 'events://orders')).toMatchObject({
        dropped: 1,
        events: [{ data: { n: 2 } }, { data: { n: 3 } }],
      });
      expect(await read(server, 'events://a%20b')).toEqual({ dropped: 0, events: [] });
    } finally {
      await client.close();
    }
  });

  it('tell of many events at once, and hold no more characters than allowed', async () => {
    await using bus = new EventBusIntegration({ url: 'memory:' });
    const told: string[] = [];
    const texts = new Map<string, () => string>();
    const server = {
      addResource: (uri: string, { content }: { content: unknown }) => void texts.set(uri, content as () => string),
      removeResource: (uri: string) => void texts.delete(uri),
      resourceUpdated: (uri: string) => void told.push(uri),
    };
    const shown = await eventResources(server, bus, {
      channels: ['c'],
      everyMs: 50,
      keep: 1_000,
      maxCharacters: 5_000,
    });
    for (let i = 0; i < 500; i++) await bus.publish('c', { text: 'x'.repeat(100) });
    await waitUntil(() => told.length > 0, 'it was told');
    expect(told.length).toBeLessThan(100);
    expect(texts.get('events://c')?.().length).toBeLessThan(5_200);
    await bus.publish('c', { text: 'y'.repeat(10_000) });
    await waitUntil(() => texts.get('events://c')?.().endsWith('"events":[]}') === true, 'one too large is left out');
    await Promise.all([shown.close(), shown.close()]);
    expect(texts.size).toBe(0);
    expect(bus.listenerCount('event')).toBe(0);
  });

  it('show the events of a stream, with their ids', async () => {
    await using stream = new EventStream({ url: 'memory:' });
    await using server = new MCPServer({ name: 's', version: '1' });
    await expect(eventResources(server, stream, { channels: ['orders'] })).rejects.toThrow(/group must name/);
    await using _shown = await eventResources(server, stream, { channels: ['orders'], group: 'mcp-1' });
    const { id } = await stream.publish('orders', { n: 1 });
    let seen = await read(server, 'events://orders');
    for (let i = 0; i < 500 && seen.events.length === 0; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      seen = await read(server, 'events://orders');
    }
    expect(seen.events).toMatchObject([{ id, data: { n: 1 } }]);
  });
});
