import { PassThrough, Readable } from 'node:stream';
import { APIIntegration } from '@safla/sdk/api';
import { ValidationError } from '@safla/sdk/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rejection, type Seen, serve, type TestServer } from './support/server.js';

let server: TestServer;
let api: APIIntegration;

beforeAll(async () => {
  server = await serve((_, response) => response.writeHead(204).end());
  api = new APIIntegration({ baseURL: server.origin });
});

afterAll(async () => {
  await api.close();
  await server[Symbol.asyncDispose]();
});

async function sent(body: unknown, method = 'POST'): Promise<Seen> {
  await api.request('/', { method, body });
  const seen = server.seen.at(-1);
  if (!seen) throw new Error('nothing arrived');
  return seen;
}

describe('bodies', () => {
  it.each([
    ['an object', { a: [1, null] }, '{"a":[1,null]}'],
    ['an array', [], '[]'],
    ['null', null, 'null'],
    ['false', false, 'false'],
    ['a date', new Date(0), '"1970-01-01T00:00:00.000Z"'],
  ])('%s goes as JSON', async (_, body, text) => {
    const seen = await sent(body);
    expect(seen.headers['content-type']).toBe('application/json');
    expect(seen.body.toString()).toBe(text);
  });

  it.each([
    ['a text', 'plain', 'plain', 'text/plain;charset=UTF-8'],
    ['a text that looks like JSON', ' {"a":1} ', ' {"a":1} ', 'text/plain;charset=UTF-8'],
    ['URLSearchParams', new URLSearchParams({ a: 'b c' }), 'a=b+c', 'application/x-www-form-urlencoded;charset=UTF-8'],
    ['a Buffer', Buffer.from('bytes'), 'bytes', undefined],
    ['a view of a buffer', new DataView(new TextEncoder().encode('xbytesx').buffer, 1, 5), 'bytes', undefined],
    ['an ArrayBuffer', new TextEncoder().encode('bytes').buffer, 'bytes', undefined],
    ['a Blob with a type', new Blob(['blob'], { type: 'text/csv' }), 'blob', 'text/csv'],
    ['a Blob without', new Blob(['blob']), 'blob', undefined],
  ])('%s goes as it is', async (_, body, text, type) => {
    const seen = await sent(body);
    expect(seen.body.toString()).toBe(text);
    expect(seen.headers['content-type']).toBe(type);
    expect(seen.headers['content-length']).toBe(String(text.length));
  });

  it('a form is a real upload', async () => {
    const form = new FormData();
    form.append('name', 'ü');
    form.append('file', new Blob([Buffer.from([0, 255, 1])], { type: 'image/png' }), 'a.png');
    const { headers, body } = await sent(form);
    const parsed = await new Response(new Uint8Array(body), {
      headers: { 'content-type': headers['content-type'] ?? '' },
    }).formData();
    expect(parsed.get('name')).toBe('ü');
    const file = parsed.get('file') as File;
    expect([file.name, file.type]).toEqual(['a.png', 'image/png']);
    expect(new Uint8Array(await file.arrayBuffer())).toEqual(new Uint8Array([0, 255, 1]));
  });

  it.each([
    ['a Node stream', () => Readable.from(['str', 'eam'])],
    ['a web stream', () => new Blob(['stream']).stream()],
    [
      'a generator',
      () =>
        (async function* () {
          yield 'str';
          yield Buffer.from('eam');
        })(),
    ],
  ])('%s is streamed', async (_, make) => {
    const seen = await sent(make());
    expect(seen.body.toString()).toBe('stream');
    expect(seen.headers['content-type']).toBeUndefined();
  });

  it('a stream of the old style with its own headers keeps them', async () => {
    const inner = new PassThrough();
    const form = {
      pipe: inner.pipe.bind(inner),
      getHeaders: () => ({ 'content-type': 'multipart/form-data; boundary=b' }),
    };
    const arriving = sent(form);
    inner.end('--b--');
    const seen = await arriving;
    expect(seen.headers['content-type']).toBe('multipart/form-data; boundary=b');
    expect(seen.body.toString()).toBe('--b--');
  });

  it('a media type given by the caller wins', async () => {
    await api.request('/', { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/merge-patch+json' } });
    expect(server.seen.at(-1)?.headers['content-type']).toBe('application/merge-patch+json');
  });

  it('no body has no media type', async () => {
    const seen = await sent(undefined);
    expect(seen.headers['content-type']).toBeUndefined();
    expect(seen.headers['content-length']).toBe('0');
  });

  const cycle: Record<string, unknown> = { secretField: 'hunter2' };
  cycle.self = cycle;
  it.each([
    ['a BigInt', { a: 1n }],
    ['a cycle', cycle],
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['a Map', new Map([['a', 1]])],
    ['a Set', new Set([1])],
    [
      'what throws when it is read',
      {
        get a() {
          throw new Error('hunter2');
        },
      },
    ],
  ])('%s is refused before anything is sent', async (_, body) => {
    const count = server.seen.length;
    const error = (await rejection(sent(body))) as Error;
    expect(error).toBeInstanceOf(ValidationError);
    expect(error.message).not.toMatch(/hunter2|secretField/);
    expect(server.seen.length).toBe(count);
  });

  it.each<[string, unknown]>([
    ['an Error', new Error('hunter2')],
    ['an invalid date', new Date(Number.NaN)],
    ['a Map', new Map([['hunter2', 1]])],
    ['a RegExp', /hunter2/],
    ['a Promise', Promise.resolve('hunter2')],
    ['NaN', Number.NaN],
    ['bytes', new Uint8Array(2)],
  ])('%s inside a body is refused by its path, not sent as {} or null', async (_, value) => {
    const count = server.seen.length;
    const error = (await rejection(sent({ lines: [{ price: value }] }))) as ValidationError;
    expect(error).toBeInstanceOf(ValidationError);
    expect(error.issues[0]?.path).toEqual(['lines', 0, 'price']);
    expect(error.message).toContain(`body of POST ${server.origin}/: lines.0.price: is `);
    expect(error.message).not.toContain('hunter2');
    expect(server.seen.length).toBe(count);
  });

  it('a stream that fails rejects with its own error', async () => {
    const failure = new Error('the disk is on fire');
    const body = Readable.from(
      (async function* () {
        yield 'a';
        throw failure;
      })(),
    );
    expect(await rejection(api.request('/', { method: 'POST', body }))).toBe(failure);
  });
});
