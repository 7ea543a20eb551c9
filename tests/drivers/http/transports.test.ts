import { once } from 'node:events';
import { Agent } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { Readable } from 'node:stream';
import { inspect } from 'node:util';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { ClosedError, ConnectionError, ProtocolError, TimeoutError, ValidationError } from '@safla/sdk/core';
import { afterEach, describe, expect, it } from 'vitest';
import { AddressGuard } from '../../../src/drivers/http/guard/index.js';
import {
  type HTTPBody,
  type HTTPTransport,
  httpTransport,
  readBody,
  type TransportOptions,
  undiciTransport,
} from '../../../src/drivers/http/index.js';
import { rejection, serve, until } from '../../api/support/server.js';

const transports: { close(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(transports.splice(0).map((transport) => transport.close()));
});

/** A server that answers each connection with fixed bytes. */
async function serveBytes(bytes: string | Buffer, end = true) {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => (end ? socket.end(bytes) : socket.write(bytes)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret?token=hunter2`;
  return { url, [Symbol.asyncDispose]: async () => void server.close() };
}

describe.each<[string, (options?: TransportOptions) => HTTPTransport]>([
  ['undiciTransport', undiciTransport],
  ['httpTransport', httpTransport],
])('%s', (_, make) => {
  const open = (options?: TransportOptions): HTTPTransport => {
    const transport = make(options);
    transports.push(transport);
    return transport;
  };
  const encoders = [
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
  ] as const;

  it.each(encoders)(
    'unpacks %s (%o) and drops the headers that described the packed form',
    async (encoding, encode) => {
      const text = 'ünï '.repeat(5_000);
      await using server = await serve((_, response) => {
        response.writeHead(200, { 'content-encoding': encoding }).end(encode(text));
      });
      const response = await open().send({ method: 'GET', url: server.origin });
      expect((await readBody(response.body)).toString()).toBe(text);
      expect(response.headers['content-encoding']).toBeUndefined();
      expect(server.seen[0]?.headers['accept-encoding']).toBe('gzip, deflate, br');
    },
  );

  it('undoes several codings in reverse order', async () => {
    await using server = await serve((_, response) => {
      response.writeHead(200, { 'content-encoding': 'br, gzip' }).end(gzipSync(brotliCompressSync('twice')));
    });
    const response = await open().send({ method: 'GET', url: server.origin });
    expect((await readBody(response.body)).toString()).toBe('twice');
  });

  it('hands on a coding it does not know as it came', async () => {
    await using server = await serve((_, response) => {
      response.writeHead(200, { 'content-encoding': 'zstd' }).end('as it is');
    });
    const response = await open().send({ method: 'GET', url: server.origin });
    expect(response.headers['content-encoding']).toBe('zstd');
    expect((await readBody(response.body)).toString()).toBe('as it is');
  });

  it('stops a decompression bomb at the size limit', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    await using server = await serve((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
    });
    expect(bomb.length).toBeLessThan(100_000);
    const response = await open({ maxResponseBytes: 1_000_000 }).send({ method: 'GET', url: server.origin });
    let kept = 0;
    const reading = (async () => {
      for await (const chunk of response.body) kept += chunk.byteLength;
    })();
    expect(await rejection(reading)).toBeInstanceOf(ProtocolError);
    expect(kept).toBeLessThanOrEqual(1_000_000);
  });

  it('refuses an answer that announces more than the limit, before reading it', async () => {
    await using server = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '2000' }).write('x'.repeat(10));
    });
    const error = await rejection(open().send({ method: 'GET', url: server.origin, maxResponseBytes: 1_000 }));
    expect(error).toBeInstanceOf(ProtocolError);
    expect((error as Error).message).toContain('larger than 1000 bytes');
  });

  it('counts a body without announced length', async () => {
    await using server = await serve((_, response) => {
      response.write('x'.repeat(600));
      response.end('x'.repeat(600));
    });
    const response = await open().send({ method: 'GET', url: server.origin, maxResponseBytes: 1_000 });
    expect(await rejection(readBody(response.body))).toBeInstanceOf(ProtocolError);
    const exact = await open().send({ method: 'GET', url: server.origin, maxResponseBytes: 1_200 });
    expect((await readBody(exact.body)).byteLength).toBe(1_200);
  });

  it('reports a truncated gzip body and a body that is not gzip as ProtocolError', async () => {
    const packed = gzipSync('x'.repeat(100_000));
    await using server = await serve((seen, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end(seen.url === '/cut' ? packed.subarray(0, packed.length / 2) : 'plain text');
    });
    for (const path of ['/cut', '/plain']) {
      const response = await open().send({ method: 'GET', url: server.origin + path });
      expect(await rejection(readBody(response.body))).toBeInstanceOf(ProtocolError);
    }
  });

  it('gives an empty body of a compressed answer as empty', async () => {
    await using server = await serve((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end();
    });
    const transport = open();
    for (const method of ['GET', 'HEAD']) {
      const response = await transport.send({ method, url: server.origin });
      expect(await readBody(response.body)).toHaveLength(0);
    }
  });

  it('keeps connections open and uses them again', async () => {
    await using server = await serve((_, response) => response.end('ok'));
    const transport = open();
    for (let i = 0; i < 20; i++) await readBody((await transport.send({ method: 'GET', url: server.origin })).body);
    // undici opens a second one when a request comes while the first is being handed back.
    expect(server.connections()).toBeLessThanOrEqual(2);
  });

  it('follows redirects of GET inside the origin, at most five', async () => {
    await using server = await serve((seen, response) => {
      const step = Number(seen.url.slice(1));
      if (step < 9) response.writeHead(302, { location: `/${step + 1}` }).end('moved');
      else response.end('there');
    });
    const transport = open();
    const near = await transport.send({
      method: 'GET',
      url: `${server.origin}/4`,
      headers: { authorization: 'Bearer k' },
    });
    expect((await readBody(near.body)).toString()).toBe('there');
    expect(server.seen.every((seen) => seen.headers.authorization === 'Bearer k')).toBe(true);
    const far = await transport.send({ method: 'GET', url: `${server.origin}/0` });
    expect([far.status, far.headers.location]).toEqual([302, '/6']);
  });

  it('hands redirects that the request does not want to the caller', async () => {
    await using server = await serve((_, response) => response.writeHead(302, { location: '/admin?x=1' }).end());
    const asked: string[] = [];
    const mayFollow = (target: URL) => {
      asked.push(target.href);
      return false;
    };
    expect((await open().send({ method: 'GET', url: server.origin, mayFollow })).status).toBe(302);
    expect(asked).toEqual([`${server.origin}/admin?x=1`]);
    expect(server.seen).toHaveLength(1);
  });

  it('hands redirects to another origin, and of a POST, to the caller', async () => {
    await using other = await serve((_, response) => response.end('stolen'));
    await using server = await serve((_, response) => {
      response.writeHead(307, { location: `${other.origin}/x` }).end();
    });
    const transport = open();
    const headers = { 'x-api-key': 'k' };
    expect((await transport.send({ method: 'GET', url: server.origin, headers })).status).toBe(307);
    expect((await transport.send({ method: 'POST', url: server.origin, headers, body: 'b' })).status).toBe(307);
    expect(other.seen).toEqual([]);
  });

  it('maps a refused connection to ConnectionError with the system code', async () => {
    const error = (await rejection(
      open().send({ method: 'GET', url: 'http://127.0.0.1:1/path?token=hunter2' }),
    )) as ConnectionError;
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error.systemCode).toBe('ECONNREFUSED');
    expect(error.message).toBe('GET http://127.0.0.1:1/path: the connection failed (ECONNREFUSED)');
    expect(inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toContain('hunter2');
  });

  it('maps a connection that breaks in the middle of a body to ConnectionError', async () => {
    await using server = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('x'.repeat(10));
      setTimeout(() => response.destroy(), 20);
    });
    const response = await open().send({ method: 'GET', url: server.origin });
    expect(await rejection(readBody(response.body))).toBeInstanceOf(ConnectionError);
  });

  it('maps an answer that is not HTTP to ProtocolError, without its bytes', async () => {
    await using server = await serveBytes('SSH-2.0-OpenSSH hunter3\r\n\r\n');
    const error = await rejection(open().send({ method: 'GET', url: server.url }));
    expect(error).toBeInstanceOf(ProtocolError);
    expect(inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toMatch(/hunter/);
  });

  it('maps protocols that are switched unasked to ConnectionError', async () => {
    await using server = await serveBytes(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    );
    const { url } = server;
    expect(await rejection(open().send({ method: 'GET', url }))).toBeInstanceOf(ConnectionError);
  });

  it('keeps the connections of 32 guards at the most, and lets requests under the others end', async () => {
    await using server = await serve(async ({ url }, response) => {
      response.write('begun ');
      if (url === '/slow') await until(() => server.seen.length > 40);
      response.end('ended');
    });
    const transport = open();
    const get = async (path: string): Promise<string> => {
      const guard = new AddressGuard({ localHosts: new Set(['127.0.0.1']) });
      const { body } = await transport.send({ method: 'GET', url: server.origin + path, guardFor: () => guard });
      return String(await readBody(body));
    };
    const slow = get('/slow');
    for (let count = 0; count < 40; count++) expect(await get(`/${count}`)).toBe('begun ended');
    await expect(slow).resolves.toBe('begun ended');
    await until(() => server.open() <= 32);
    await transport.close();
    await until(() => server.open() === 0);
  });

  it('maps silence to TimeoutError', async () => {
    await using server = await serve(() => undefined);
    const error = await rejection(open({ idleTimeoutMs: 50 }).send({ method: 'GET', url: server.origin }));
    expect(error).toBeInstanceOf(TimeoutError);
    expect((error as TimeoutError).timeoutMs).toBe(50);
  });

  it('refuses a header with a line break before anything is sent', async () => {
    await using server = await serve((_, response) => response.end());
    const headers = { 'x-a': 'a\r\nx-b: c' };
    expect(await rejection(open().send({ method: 'GET', url: server.origin, headers }))).toBeInstanceOf(
      ValidationError,
    );
    expect(server.seen).toEqual([]);
  });

  it('rejects with the reason of the signal, before the head and inside the body, and drops the connection', async () => {
    let dropped = 0;
    await using server = await serve((seen, response, request) => {
      request.socket.on('close', () => {
        dropped += 1;
      });
      if (seen.url === '/body') response.writeHead(200).write('begun');
    });
    const transport = open();
    const first = new AbortController();
    const sending = rejection(transport.send({ method: 'GET', url: server.origin, signal: first.signal }));
    await expect.poll(() => server.seen.length).toBe(1);
    first.abort('changed my mind');
    expect(await sending).toBe('changed my mind');

    const second = new AbortController();
    const response = await transport.send({ method: 'GET', url: `${server.origin}/body`, signal: second.signal });
    const reading = rejection(readBody(response.body));
    const reason = new Error('enough');
    second.abort(reason);
    expect(await reading).toBe(reason);
    await expect.poll(() => dropped).toBe(2);
  });

  it('sends nothing for a signal that has aborted', async () => {
    await using server = await serve((_, response) => response.end());
    const signal = AbortSignal.abort('too late');
    expect(await rejection(open().send({ method: 'GET', url: server.origin, signal }))).toBe('too late');
    expect(server.connections()).toBe(0);
  });

  it('refuses requests after close, and closing twice is fine', async () => {
    const transport = open();
    await transport.close();
    await transport.close();
    expect(await rejection(transport.send({ method: 'GET', url: 'http://127.0.0.1:1' }))).toBeInstanceOf(ClosedError);
  });

  it('closes once the last answer was read, and does not wait for callers who have left', async () => {
    await using server = await serve((seen, response) => {
      if (seen.url === '/slow') response.writeHead(200).write('begun');
      else if (seen.url === '/free') response.end();
    });
    const transport = open({ maxConnections: 2 });
    const controller = new AbortController();
    const gone = Array.from({ length: 50 }, () =>
      rejection(transport.send({ method: 'GET', url: `${server.origin}/hang`, signal: controller.signal })),
    );
    await expect.poll(() => server.seen.length).toBe(2);
    controller.abort('gone');
    expect(await Promise.all(gone)).toEqual(gone.map(() => 'gone'));
    const response = await transport.send({ method: 'GET', url: `${server.origin}/slow` });
    let closed = false;
    const closing = transport.close().then(() => {
      closed = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(closed).toBe(false);
    for await (const _ of response.body) break;
    await closing;
  });

  it('never delivers far ahead of a reader', async () => {
    let written = 0;
    await using server = await serve(async (_, response) => {
      response.on('error', () => undefined);
      const chunk = Buffer.alloc(65_536);
      for (; written < 400 && !response.destroyed; written++) {
        response.write(chunk);
        while (response.writableNeedDrain && !response.destroyed)
          await new Promise((resolve) => setTimeout(resolve, 2));
      }
      response.end();
    });
    const response = await open({ maxResponseBytes: Number.MAX_SAFE_INTEGER }).send({
      method: 'GET',
      url: server.origin,
    });
    let read = 0;
    for await (const chunk of response.body) {
      read += chunk.byteLength;
      if (read === chunk.byteLength) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        // 25 MiB are there to be sent: what fits into the buffers of two sockets is far less.
        expect(written).toBeLessThan(300);
      }
    }
    expect(read).toBe(400 * 65_536);
  });

  it.each<[string, () => HTTPBody, string]>([
    ['a text', () => 'plain', 'plain'],
    ['bytes', () => Buffer.from('bytes'), 'bytes'],
    ['a Blob', () => new Blob(['blob']), 'blob'],
    ['a Node stream', () => Readable.from(['str', 'eam']), 'stream'],
    ['a web stream', () => new Blob(['stream']).stream(), 'stream'],
  ])('sends %s', async (_, body, text) => {
    await using server = await serve((seen, response) => response.end(seen.body));
    const transport = open();
    for (const method of ['POST', 'DELETE']) {
      const response = await transport.send({ method, url: server.origin, body: body() });
      expect((await readBody(response.body)).toString()).toBe(text);
    }
  });

  it('sends a form as an upload', async () => {
    await using server = await serve((_, response) => response.end());
    const form = new FormData();
    form.append('name', 'ü');
    form.append('file', new Blob([Buffer.from([0, 255])], { type: 'image/png' }), 'a.png');
    await readBody((await open().send({ method: 'POST', url: server.origin, body: form })).body);
    const [seen] = server.seen;
    const headers = { 'content-type': seen?.headers['content-type'] ?? '' };
    const parsed = await new Response(new Uint8Array(seen?.body ?? []), { headers }).formData();
    expect([parsed.get('name'), (parsed.get('file') as File).name]).toEqual(['ü', 'a.png']);
  });

  it('skips announcements such as 103 and gives the answer itself', async () => {
    await using server = await serve((_, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' }, () => response.end('the answer'));
    });
    const response = await open().send({ method: 'GET', url: server.origin });
    expect([response.status, (await readBody(response.body)).toString()]).toEqual([200, 'the answer']);
  });

  it.each([
    [{ maxResponseBytes: 0 }, 'maxResponseBytes'],
    [{ connectTimeoutMs: Number.NaN }, 'connectTimeoutMs'],
    [{ keepAlive: true }, 'keepAlive'],
  ])('refuses %o', (options, field) => {
    expect(() => make(options as object)).toThrow(new RegExp(`${make.name}.${field}`));
  });
});

describe('what the caller owns', () => {
  it('a dispatcher of undici is used and left open', async () => {
    await using server = await serve((_, response) => response.end('ok'));
    const { Agent } = await import('undici');
    const dispatcher = new Agent();
    const transport = undiciTransport({ dispatcher });
    await readBody((await transport.send({ method: 'GET', url: server.origin })).body);
    await transport.close();
    expect(dispatcher.closed).toBe(false);
    await dispatcher.close();
  });

  it('an agent of node:http is used and left open', async () => {
    await using server = await serve((_, response) => response.end('ok'));
    const agent = new Agent({ keepAlive: true });
    const transport = httpTransport({ agents: { http: agent } });
    await readBody((await transport.send({ method: 'GET', url: server.origin })).body);
    await transport.close();
    await expect.poll(() => Object.keys(agent.freeSockets)).toHaveLength(1);
    agent.destroy();
  });
});
