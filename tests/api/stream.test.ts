import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { APIIntegration, type APIStream, type ServerSentEvent } from '@safla/sdk/api';
import {
  ClosedError,
  ProtocolError,
  TimeoutError,
  UnsupportedError,
  ValidationError,
  withContext,
} from '@safla/sdk/core';
import axios from 'axios';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { serverSentEvents } from '../../src/api/stream/server-sent-events.js';
import { textLines } from '../../src/api/stream/text-lines.js';
import { json, rejection, serve, type TestServer, until } from './support/server.js';

let server: TestServer;
/** Connections that the client ended before the answer was whole. */
let left = 0;
let written = 0;
let outage = 0;

beforeAll(async () => {
  server = await serve(async (seen, response) => {
    const { pathname } = new URL(seen.url, 'http://x');
    response.on('close', () => {
      if (!response.writableFinished) left += 1;
    });
    switch (pathname) {
      case '/parts':
        response.write('one ');
        response.write('two ');
        return response.end('three');
      case '/gzip':
        return response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('packed'));
      case '/rows':
        return response.end('{"id":1}\n\n{"id":2}\r\n{"id":3}');
      case '/bad-rows':
        return response.end('{"id":1}\n{"secret":');
      case '/events':
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        return response.end(': hi\n\nid: 7\nevent: add\ndata: a\ndata: b\n\nretry: 50\ndata: c\n\ndata: lost');
      case '/endless': {
        const chunk = Buffer.alloc(65_536);
        const send = (): void => {
          for (let more = true; more && !response.destroyed; ) {
            more = response.write(chunk);
            written += chunk.length;
          }
        };
        response.on('drain', send);
        return send();
      }
      case '/stall':
        return response.write('begin');
      case '/break':
        response.write('begin');
        return setTimeout(() => response.destroy(), 20);
      case '/flaky':
        outage -= 1;
        return outage >= 0 ? json(response, {}, {}, 503) : response.end('at last');
      case '/echo':
        return response.end(seen.body);
      case '/404':
        return json(response, { why: 'not here' }, {}, 404);
    }
    return undefined;
  });
});

afterAll(() => server[Symbol.asyncDispose]());

const ways: [string, () => APIIntegration][] = [
  ['our transport', () => new APIIntegration({ baseURL: server.origin, policy: { retry: { baseDelayMs: 1 } } })],
  [
    'a ready axios instance',
    () => new APIIntegration({ baseURL: server.origin, client: axios.create(), policy: { retry: { baseDelayMs: 1 } } }),
  ],
];

const textOf = async (stream: AsyncIterable<Uint8Array>): Promise<string> => {
  let text = '';
  for await (const chunk of stream) text += Buffer.from(chunk).toString();
  return text;
};

describe.each(ways)('stream over %s', (_, make) => {
  it('gives the bytes as they come, decompressed', async () => {
    await using api = make();
    const stream = await api.stream('/parts');
    expect([stream.status, stream.attempts, await textOf(stream)]).toEqual([200, 1, 'one two three']);
    expect(await textOf(await api.stream('/gzip'))).toBe('packed');
    await stream.finished;
  });

  it('retries up to the head of the answer', async () => {
    await using api = make();
    outage = 2;
    const stream = await api.stream('/flaky');
    expect([stream.attempts, await textOf(stream)]).toEqual([3, 'at last']);
  });

  it('rejects with HTTPError and its data', async () => {
    await using api = make();
    expect(await rejection(api.stream('/404'))).toMatchObject({ status: 404, data: { why: 'not here' } });
  });

  it('frees the connection when the loop is left', async () => {
    await using api = make();
    const before = left;
    for await (const chunk of await api.stream('/endless')) if (chunk.byteLength > 0) break;
    await until(() => left === before + 1);
  });

  it('ends by signal, before the head and after it', async () => {
    await using api = make();
    const early = AbortSignal.timeout(30);
    expect(await rejection(api.stream('/hang', { signal: early }))).toBe(early.reason);
    const controller = new AbortController();
    const stream = await api.stream('/stall', { signal: controller.signal });
    const reading = rejection(textOf(stream));
    controller.abort(new Error('mine'));
    expect(await reading).toMatchObject({ message: 'mine' });
  });

  it('takes a broken connection for ConnectionError', async () => {
    await using api = make();
    expect(await rejection(textOf(await api.stream('/break')))).toMatchObject({ code: 'CONNECTION' });
  });
});

describe('stream', () => {
  const make = (): APIIntegration => new APIIntegration({ baseURL: server.origin });

  it('lets the server send no faster than the loop reads', async () => {
    await using api = make();
    written = 0;
    await using stream = await api.stream('/endless');
    const chunks = stream[Symbol.asyncIterator]();
    await chunks.next();
    let held = -1;
    while (held !== written) {
      held = written;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    for (let read = 0; read < held + 1_000_000; ) read += (await chunks.next()).value?.byteLength ?? 0;
    expect(written).toBeGreaterThan(held);
    stream.cancel();
  });

  it('says when nothing comes for too long', async () => {
    await using api = make();
    const stream = await api.stream('/stall', { idleTimeoutMs: 40 });
    expect(await rejection(textOf(stream))).toBeInstanceOf(TimeoutError);
  });

  it('is bounded by maxBytes, and by nothing else', async () => {
    await using api = new APIIntegration({ baseURL: server.origin, maxResponseBytes: 4 });
    expect(await textOf(await api.stream('/parts'))).toBe('one two three');
    expect(await rejection(textOf(await api.stream('/parts', { maxBytes: 6 })))).toBeInstanceOf(ProtocolError);
  });

  it('has its timeout until the head, the surrounding context until the end', async () => {
    await using api = make();
    const stream = await api.stream('/stall', { timeoutMs: 5_000 });
    stream.cancel();
    expect(await rejection(api.stream('/hang', { timeoutMs: 30 }))).toBeInstanceOf(TimeoutError);
    const work = withContext({ timeoutMs: 300 }, async () => textOf(await api.stream('/stall')));
    expect(await rejection(work)).toBeInstanceOf(TimeoutError);
  });

  it('is cancelled by close, at its deadline', async () => {
    const api = make();
    const reading = rejection(textOf(await api.stream('/stall')));
    await api.close({ timeoutMs: 50 });
    expect(await reading).toBeInstanceOf(ClosedError);
    expect(await rejection(api.stream('/parts'))).toBeInstanceOf(ClosedError);
  });

  it('can be read once', async () => {
    await using api = make();
    const stream = await api.stream('/parts');
    await textOf(stream);
    await expect(stream.lines().next()).rejects.toBeInstanceOf(UnsupportedError);
  });

  it('is a web stream where that is wanted', async () => {
    await using api = make();
    expect(await new Response((await api.stream('/parts')).readable()).text()).toBe('one two three');
    const before = left;
    const reader = (await api.stream('/endless')).readable().getReader();
    await reader.read();
    await reader.cancel();
    await until(() => left === before + 1);
  });

  it('sends a body, also one that is a stream', async () => {
    await using api = make();
    const stream = await api.stream('/echo', {
      method: 'POST',
      body: Readable.from([Buffer.from('a'), Buffer.from('b')]),
    });
    expect(await textOf(stream)).toBe('ab');
  });

  it('gives a record for each line', async () => {
    await using api = make();
    const Row = z.object({ id: z.number() });
    const rows: { id: number }[] = [];
    for await (const row of (await api.stream('/rows')).records({ schema: Row })) rows.push(row);
    expect(rows).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
    const drain = async (stream: APIStream, schema: z.ZodType): Promise<void> => {
      for await (const _ of stream.records({ schema }));
    };
    const broken = await rejection(drain(await api.stream('/bad-rows'), z.unknown()));
    expect(broken).toBeInstanceOf(ProtocolError);
    expect((broken as Error).message).toMatch(/^line 2 of /);
    expect((broken as Error).message).not.toContain('secret');
    expect(await rejection(drain(await api.stream('/rows'), z.object({ id: z.number().max(1) })))).toBeInstanceOf(
      ValidationError,
    );
  });

  it('gives server-sent events', async () => {
    await using api = make();
    const events: ServerSentEvent[] = [];
    for await (const event of (await api.stream('/events')).events()) events.push(event);
    expect(events).toEqual([
      { event: 'add', data: 'a\nb', id: '7' },
      { event: 'message', data: 'c', id: '7', retryMs: 50 },
    ]);
  });

  it('goes through the middleware, which cannot answer in its place', async () => {
    const seen: string[] = [];
    await using api = new APIIntegration({
      baseURL: server.origin,
      use: [
        async (call, next) => {
          seen.push(call.path);
          return next();
        },
      ],
    });
    expect(await textOf(await api.stream('/parts'))).toBe('one two three');
    expect(seen).toEqual(['/parts']);
    const answering = { data: 1, status: 200, headers: {}, fromCache: false, ageMs: 0, attempts: 0 };
    await using mocked = new APIIntegration({ baseURL: server.origin, use: [async () => answering] });
    expect(await rejection(mocked.stream('/parts'))).toBeInstanceOf(UnsupportedError);
  });
});

/** The bytes of a text, cut anywhere. */
const cut = (text: string, at: readonly number[]): AsyncIterable<Uint8Array> => {
  const bytes = Buffer.from(text);
  const ends = [...at.map((one) => one % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return Readable.from(ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end)));
};

const all = async <T>(source: AsyncIterable<T>): Promise<T[]> => {
  const out: T[] = [];
  for await (const one of source) out.push(one);
  return out;
};

describe('lines', () => {
  it('are the same wherever the bytes are cut', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'ü', '€', '😀', '\n', '\r', '\r\n'), maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat()), async (given, at) => {
        const lines = given.split(/\r\n|\n|\r/);
        if (lines.at(-1) === '') lines.pop();
        expect(await all(textLines(cut(given, at), 'x'))).toEqual(lines);
      }),
    );
  });

  it('are bounded', async () => {
    const endless = (async function* () {
      for (;;) yield Buffer.alloc(1_048_576, 'a');
    })();
    expect(await rejection(all(textLines(endless, 'x')))).toBeInstanceOf(ProtocolError);
  });
});

describe('server-sent events', () => {
  it('give back what was written', async () => {
    const line = fc.string({ unit: fc.constantFrom('a', ':', ' ', 'ü'), maxLength: 6 });
    const event = fc.record({
      event: fc.constantFrom('message', 'add'),
      data: fc.array(line, { minLength: 1, maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(event), fc.array(fc.nat()), async (events, at) => {
        const text = events
          .map(({ event: name, data }) => `event: ${name}\n${data.map((one) => `data: ${one}\n`).join('')}\n`)
          .join('');
        const read = await all(serverSentEvents(textLines(cut(text, at), 'x'), 'x'));
        expect(read).toEqual(events.map(({ event: name, data }) => ({ event: name, data: data.join('\n'), id: '' })));
      }),
    );
  });
});
