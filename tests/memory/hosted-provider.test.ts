import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { APIIntegration } from '@safla/sdk/api';
import { SaflaError } from '@safla/sdk/core';
import { LocalVectorMemory } from '@safla/sdk/memory';
import { vectorMemoryContract } from '@safla/sdk/testing/vitest';
import { afterEach, describe, expect, it } from 'vitest';
import { HostedVectorMemory } from './fixtures/hosted-vector-memory.js';

/** A store behind HTTP, as one may be rented: JSON in and out, 404 for what is not there, 422 for bad input. */
async function answer(store: LocalVectorMemory, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url = '' } = request;
  const id = decodeURIComponent(url.replace('/vectors/', ''));
  const body = method === 'PUT' || method === 'POST' ? ((await json(request)) as Sent) : undefined;
  const send = (value: unknown, status = 200): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };
  try {
    if (body && url === '/search') send(await store.search(body.vector, body.limit, body.threshold));
    else if (body) send(await store.store(id, body.vector, body.metadata).then(() => true));
    else if (method === 'DELETE') send(await store.delete(id));
    else {
      const found = await store.retrieve(id);
      send(found, found ? 200 : 404);
    }
  } catch (error) {
    send({ error: 'refused' }, SaflaError.is(error) && error.code === 'VALIDATION' ? 422 : 500);
  }
}

interface Sent {
  readonly vector: number[];
  readonly limit: number;
  readonly threshold: number | undefined;
  readonly metadata: Record<string, unknown> | undefined;
}

const open: { server: Server; api: APIIntegration }[] = [];
async function hosted(): Promise<HostedVectorMemory> {
  const store = new LocalVectorMemory({ dimension: 3 });
  const server = createServer((request, response) => void answer(store, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const api = new APIIntegration({ baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  open.push({ server, api });
  return new HostedVectorMemory(api);
}
afterEach(async () => {
  for (const { server, api } of open.splice(0)) {
    await api.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

vectorMemoryContract('the provider over a hosted store in docs/memory.md', hosted);

describe('the provider over a hosted store', () => {
  it('is the one in docs/memory.md, word for word', () => {
    const source = readFileSync(new URL('./fixtures/hosted-vector-memory.ts', import.meta.url), 'utf8');
    const page = readFileSync(new URL('../../docs/memory.md', import.meta.url), 'utf8');
    expect(page).toContain(`\`\`\`ts\n${source}\`\`\``);
  });

  it('tells that the store is away from what it refuses', async () => {
    const memory = await hosted();
    await memory.store('a', [1, 0, 0]);
    const [last] = open;
    last?.server.closeAllConnections();
    await new Promise((resolve) => last?.server.close(resolve));
    await expect(memory.delete('a')).rejects.toMatchObject({ code: 'CONNECTION' });
  });
});
