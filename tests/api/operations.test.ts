import { APIIntegration, type APIOperation } from '@safla/sdk/api';
import { ValidationError } from '@safla/sdk/core';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { headerText, pairTexts, pathText, type Styled } from '../../src/api/openapi/styled-value.js';
import { json, rejection, type Seen, serve, type TestServer } from './support/server.js';

let server: TestServer;
let api: APIIntegration;

beforeAll(async () => {
  server = await serve((_, response) => json(response, { ok: true }));
  api = new APIIntegration({ baseURL: `${server.origin}/v1`, auth: 'k3y' });
});

beforeEach(() => {
  server.seen.length = 0;
});

afterAll(async () => {
  await api.close();
  await server[Symbol.asyncDispose]();
});

const operation = (path: string, method: string, raw: object): APIOperation =>
  api
    .operations({
      openapi: '3.1.0',
      info: { title: 't', version: '1' },
      servers: [{ url: 'https://evil.example/v9' }],
      paths: { [path]: { [method]: { operationId: 'x', ...raw } } },
    })
    .get('x');

const seen = (): Seen => {
  const [only] = server.seen;
  if (!only || server.seen.length > 1) throw new Error(`expected one request, saw ${server.seen.length}`);
  return only;
};

const list = ['blue', 'a,b'];
const object = { R: 100, G: 'x&y' };

describe('parameters', () => {
  it.each<[string, object, unknown, string]>([
    ['path', {}, 'a/b?c', '/v1/x/a%2Fb%3Fc'],
    ['path', {}, list, '/v1/x/blue,a%2Cb'],
    ['path', {}, object, '/v1/x/R,100,G,x%26y'],
    ['path', { explode: true }, object, '/v1/x/R=100,G=x%26y'],
    ['path', { style: 'label' }, 5, '/v1/x/.5'],
    ['path', { style: 'label' }, list, '/v1/x/.blue,a%2Cb'],
    ['path', { style: 'label', explode: true }, list, '/v1/x/.blue.a%2Cb'],
    ['path', { style: 'label' }, object, '/v1/x/.R,100,G,x%26y'],
    ['path', { style: 'label', explode: true }, object, '/v1/x/.R=100.G=x%26y'],
    ['path', { style: 'matrix' }, 'blue', '/v1/x/;p=blue'],
    ['path', { style: 'matrix' }, '', '/v1/x/;p'],
    ['path', { style: 'matrix' }, list, '/v1/x/;p=blue,a%2Cb'],
    ['path', { style: 'matrix', explode: true }, list, '/v1/x/;p=blue;p=a%2Cb'],
    ['path', { style: 'matrix' }, object, '/v1/x/;p=R,100,G,x%26y'],
    ['path', { style: 'matrix', explode: true }, object, '/v1/x/;R=100;G=x%26y'],
    ['path', { schema: undefined, content: { 'application/json': {} } }, { a: 1 }, '/v1/x/%7B%22a%22%3A1%7D'],
    ['query', {}, true, '/v1/x?p=true'],
    ['query', {}, '', '/v1/x?p='],
    ['query', {}, list, '/v1/x?p=blue&p=a%2Cb'],
    ['query', {}, object, '/v1/x?R=100&G=x%26y'],
    ['query', { explode: false }, list, '/v1/x?p=blue,a%2Cb'],
    ['query', { explode: false }, object, '/v1/x?p=R,100,G,x%26y'],
    ['query', {}, [], '/v1/x'],
    ['query', { style: 'spaceDelimited', explode: false }, list, '/v1/x?p=blue%20a%2Cb'],
    ['query', { style: 'pipeDelimited' }, list, '/v1/x?p=blue%7Ca%2Cb'],
    ['query', { style: 'pipeDelimited' }, object, '/v1/x?p=R%7C100%7CG%7Cx%26y'],
    ['query', { style: 'deepObject' }, object, '/v1/x?p%5BR%5D=100&p%5BG%5D=x%26y'],
    ['query', { style: 'deepObject' }, { a: { b: [1, 2] } }, '/v1/x?p%5Ba%5D%5Bb%5D=1&p%5Ba%5D%5Bb%5D=2'],
    ['query', { allowReserved: true }, 'a/b:c?d&e=f#g+h', '/v1/x?p=a/b:c?d%26e%3Df%23g%2Bh'],
    [
      'query',
      { schema: undefined, content: { 'application/json': {} } },
      { a: [1] },
      '/v1/x?p=%7B%22a%22%3A%5B1%5D%7D',
    ],
    ['query', {}, "it's (1)*!", '/v1/x?p=it%27s%20%281%29%2A%21'],
  ])('in %s %j: %j goes as %s', async (place, settings, value, url) => {
    const path = place === 'path' ? '/x/{p}' : '/x';
    const parameter = { name: 'p', in: place, required: place === 'path', schema: {}, ...settings };
    await operation(path, 'get', { parameters: [parameter] }).call({ p: value });
    expect(seen().url).toBe(url);
    expect(seen().headers.authorization).toBe('Bearer k3y');
  });

  it.each<[object, unknown, string]>([
    [{}, 'a b', 'a b'],
    [{}, list, 'blue,a,b'],
    [{}, object, 'R,100,G,x&y'],
    [{ explode: true }, object, 'R=100,G=x&y'],
    [{ schema: undefined, content: { 'application/json': {} } }, { a: 1 }, '{"a":1}'],
  ])('in headers %j: %j goes as %s', async (settings, value, text) => {
    const parameters = [{ name: 'X-P', in: 'header', schema: {}, ...settings }];
    await operation('/x', 'get', { parameters }).call({ 'X-P': value });
    expect(seen().headers['x-p']).toBe(text);
  });

  it('in cookies go in one field', async () => {
    const parameters = ['a', 'b', 'c'].map((name) => ({ name, in: 'cookie', explode: name !== 'b' }));
    await operation('/x', 'get', { parameters }).call({ a: 'x;y', b: [1, 2], c: { k: 'v' } });
    expect(seen().headers.cookie).toBe('a=x%3By; b=1,2; k=v');
  });

  it('that were left out are not sent, and paths keep their own query', async () => {
    const parameters = ['a', 'b', 'c'].map((name) => ({ name, in: 'query' }));
    await operation('/x?action=go#second', 'get', { parameters }).call({ a: undefined, b: null, c: 1 });
    expect(seen().url).toBe('/v1/x?action=go&c=1');
  });

  it.each<[string, object, Record<string, unknown>, RegExp]>([
    ['a missing one', {}, {}, /p: is required/],
    ['an unknown one', {}, { p: 'a', q: 1 }, /q: is not an argument/],
    ['the wrong name', {}, { P: 'a' }, /did you mean 'p'/],
    ['one that climbs', {}, { p: '..' }, /"\.\."/],
    ['an empty one', {}, { p: '' }, /empty/],
    ['an empty list', {}, { p: [] }, /empty/],
    ['an object inside of a list', {}, { p: [{}] }, /p\.0: must be/],
    ['a list inside of an object', {}, { p: { a: [1] } }, /p\.a: must be/],
    ['NaN', {}, { p: Number.NaN }, /must be/],
    ['a function', {}, { p: () => 1 }, /must be/],
    ['a lone surrogate', {}, { p: '\ud800' }, /surrogate/],
    ['a list as arguments', {}, [] as unknown as Record<string, unknown>, /object/],
  ])('refuse %s', async (_, settings, args, message) => {
    const parameters = [{ name: 'p', in: 'path', required: true, schema: {}, ...settings }];
    const error = await rejection(operation('/x/{p}', 'get', { parameters }).call(args));
    expect(error).toBeInstanceOf(ValidationError);
    expect((error as Error).message).toMatch(message);
    expect(server.seen).toEqual([]);
  });

  it('refuse what a delimiter cannot carry', async () => {
    const parameters = [{ name: 'p', in: 'query', style: 'pipeDelimited', schema: {} }];
    expect(await rejection(operation('/x', 'get', { parameters }).call({ p: ['a|b'] }))).toBeInstanceOf(
      ValidationError,
    );
    const headers = [{ name: 'X-P', in: 'header', schema: {} }];
    const split = operation('/x', 'get', { parameters: headers }).call({ 'X-P': 'a\r\nx-evil: 1' });
    expect(await rejection(split)).toBeInstanceOf(ValidationError);
    expect(server.seen).toEqual([]);
  });

  it('cannot leave their place, whatever they are', async () => {
    const parameters = [
      { name: 'p', in: 'path', required: true, schema: {} },
      { name: 'q', in: 'query', allowReserved: true, schema: {} },
    ];
    const get = operation('/x/{p}/y', 'get', { parameters });
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), async (p, q) => {
        server.seen.length = 0;
        try {
          await get.call({ p, q });
        } catch (error) {
          expect(error).toBeInstanceOf(ValidationError);
          return;
        }
        const url = new URL(seen().url, 'http://x');
        const segments = url.pathname.split('/');
        expect([segments.length, segments[1], segments[2], segments[4]]).toEqual([5, 'v1', 'x', 'y']);
        expect(decodeURIComponent(segments[3] ?? '')).toBe(p);
        expect([...url.searchParams.keys()]).toEqual(['q']);
      }),
      { numRuns: 300 },
    );
  });
});

describe('styles give back what was written', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', 'B', '1', ',', ';', '.', '=', '&', '/', '[', ']', '%', '+', ' ', '|', 'ü', '😀'),
  });
  const items = fc.array(text, { minLength: 1, maxLength: 4 });
  const name = fc.stringMatching(/^[a-z]{1,4}$/);
  const pairs = fc.dictionary(name, text, { minKeys: 1, maxKeys: 4 });
  const decode = decodeURIComponent;
  const styled = (more: Partial<Styled>): Styled => ({
    name: 'p',
    style: 'simple',
    explode: false,
    allowReserved: false,
    mediaType: undefined,
    ...more,
  });
  const flat = (parts: string[]): Record<string, string> =>
    Object.fromEntries(
      parts.flatMap((part, index) => (index % 2 === 0 ? [[decode(part), decode(parts[index + 1] ?? '')]] : [])),
    );
  const split = (parts: string[]): Record<string, string> =>
    Object.fromEntries(parts.map((part) => [decode(part.split('=')[0] ?? ''), decode(part.split('=')[1] ?? '')]));
  const asObject = (value: object): object => ({ ...value });

  it('simple', () => {
    fc.assert(
      fc.property(items, pairs, (values, object) => {
        expect(pathText(styled({}), values).split(',').map(decode)).toEqual(values);
        expect(flat(pathText(styled({}), object).split(','))).toEqual(asObject(object));
        expect(split(pathText(styled({ explode: true }), object).split(','))).toEqual(asObject(object));
        expect(headerText(styled({}), values[0])).toBe(values[0]);
      }),
    );
  });

  it('label', () => {
    fc.assert(
      fc.property(items, pairs, (values, object) => {
        const label = (explode: boolean, value: unknown): string =>
          pathText(styled({ style: 'label', explode }), value).slice(1);
        expect(label(false, values).split(',').map(decode)).toEqual(values);
        expect(label(true, values).split('.').map(decode)).toEqual(values);
        expect(flat(label(false, object).split(','))).toEqual(asObject(object));
        expect(split(label(true, object).split('.'))).toEqual(asObject(object));
      }),
    );
  });

  it('matrix', () => {
    fc.assert(
      fc.property(items, pairs, (values, object) => {
        const matrix = (explode: boolean, value: unknown): string[] =>
          pathText(styled({ style: 'matrix', explode }), value)
            .slice(1)
            .split(';');
        const afterName = (part: string | undefined): string => (part ?? '').slice('p='.length);
        expect(afterName(matrix(false, values)[0]).split(',').map(decode)).toEqual(values);
        expect(matrix(true, values).map((part) => decode(afterName(part)))).toEqual(values);
        expect(flat(afterName(matrix(false, object)[0]).split(','))).toEqual(asObject(object));
        expect(split(matrix(true, object))).toEqual(asObject(object));
      }),
    );
  });

  it('form and deepObject, as a server reads them', () => {
    fc.assert(
      fc.property(items, pairs, fc.boolean(), (values, object, allowReserved) => {
        const form = styled({ style: 'form', explode: true, allowReserved });
        expect(new URLSearchParams(pairTexts(form, values).join('&')).getAll('p')).toEqual(values);
        expect(Object.fromEntries(new URLSearchParams(pairTexts(form, object).join('&')))).toEqual(asObject(object));
        const [joined = ''] = pairTexts(styled({ style: 'form' }), values);
        expect(joined.slice('p='.length).split(',').map(decode)).toEqual(values);
        const deep = new URLSearchParams(pairTexts(styled({ style: 'deepObject' }), object).join('&'));
        expect(Object.fromEntries([...deep].map(([key, value]) => [key.slice(2, -1), value]))).toEqual(
          asObject(object),
        );
      }),
    );
  });

  it('spaceDelimited and pipeDelimited, or refuse', () => {
    fc.assert(
      fc.property(
        items,
        fc.constantFrom(['spaceDelimited', ' '] as const, ['pipeDelimited', '|'] as const),
        (values, [style, mark]) => {
          const write = (): string => decode(pairTexts(styled({ style }), values)[0] ?? '').slice('p='.length);
          if (values.some((value) => value.includes(mark))) expect(write).toThrow(ValidationError);
          else expect(write().split(mark)).toEqual(values);
        },
      ),
    );
  });
});

describe('bodies', () => {
  const post = (content: object, more: object = {}): APIOperation =>
    operation('/x', 'post', { requestBody: { required: true, content, ...more } });
  const type = (): string | undefined => seen().headers['content-type'];
  const text = (): string => seen().body.toString();

  it.each<[string, unknown]>([
    ['application/json', { a: [1, null] }],
    ['application/vnd.api+json', { a: 1 }],
    ['application/merge-patch+json', { a: null }],
    ['application/json', 'text'],
    ['application/json', 5],
    ['application/json', false],
    ['application/json', null],
    ['application/json', [1, 'x']],
  ])('as %s: %j', async (mediaType, body) => {
    await post({ [mediaType]: {} }).call({ body });
    expect([type(), JSON.parse(text())]).toEqual([mediaType, body]);
  });

  it('prefer JSON, then forms, then the rest', async () => {
    await post({ 'text/plain': {}, 'application/x-www-form-urlencoded': {}, 'application/json': {} }).call({
      body: {},
    });
    expect(type()).toBe('application/json');
  });

  it('as a form, by the styles of its encoding', async () => {
    const encoding = {
      tags: { explode: false },
      deep: { style: 'deepObject', explode: true },
      json: { contentType: 'application/json' },
    };
    await post({ 'application/x-www-form-urlencoded': { encoding } }).call({
      body: { a: 'x y&z', list: [1, 2], tags: ['a', 'b'], deep: { k: 'v' }, json: { n: 1 }, none: undefined },
    });
    expect(type()).toBe('application/x-www-form-urlencoded');
    expect(text()).toBe('a=x%20y%26z&list=1&list=2&tags=a,b&deep%5Bk%5D=v&json=%7B%22n%22%3A1%7D');
    expect(new URLSearchParams(text()).get('a')).toBe('x y&z');
  });

  it('as multipart, with files from base64, bytes and Blobs', async () => {
    const binary = { type: 'string', format: 'binary' };
    const schema = {
      type: 'object',
      properties: {
        note: { type: 'string' },
        file: binary,
        more: { type: 'array', items: binary },
        meta: { type: 'object' },
        tags: {},
      },
    };
    const upload = post({ 'multipart/form-data': { schema, encoding: { file: { contentType: 'image/png' } } } });
    expect(upload.input.properties.body).toMatchObject({
      properties: {
        file: { type: 'string', contentEncoding: 'base64', contentMediaType: 'image/png' },
        more: { type: 'array', items: { contentEncoding: 'base64' } },
      },
    });
    const bytes = Buffer.from([0, 1, 254, 255]);
    await upload.call({
      body: {
        note: 'hi',
        file: bytes.toString('base64'),
        more: [new Uint8Array(bytes), new File([bytes], 'b.bin', { type: 'application/x-b' })],
        meta: { a: 1 },
        tags: ['a', 'b'],
      },
    });
    const form = await new Response(new Uint8Array(seen().body), {
      headers: { 'content-type': type() ?? '' },
    }).formData();
    const content = async (entry: unknown): Promise<unknown> =>
      entry instanceof Blob
        ? [(entry as File).name, entry.type, Buffer.from(await entry.arrayBuffer()).toString('hex')]
        : entry;
    expect(await Promise.all([...form].map(async ([key, value]) => [key, await content(value)]))).toEqual([
      ['note', 'hi'],
      ['file', ['file', 'image/png', '0001feff']],
      ['more', ['more', 'application/octet-stream', '0001feff']],
      ['more', ['b.bin', 'application/x-b', '0001feff']],
      ['meta', '{"a":1}'],
      ['tags', 'a'],
      ['tags', 'b'],
    ]);
  });

  it('as text and as bytes', async () => {
    await post({ 'application/xml': { schema: { type: 'object' } } }).call({ body: '<a/>' });
    expect([type(), text()]).toEqual(['application/xml', '<a/>']);
    server.seen.length = 0;
    await post({ 'image/*': {} }).call({ body: 'AAH+/w==' });
    expect([type(), seen().body.toString('hex')]).toEqual(['application/octet-stream', '0001feff']);
  });

  it.each<[string, unknown]>([
    ['application/x-www-form-urlencoded', 'text'],
    ['multipart/form-data', [1]],
    ['text/plain', {}],
    ['application/octet-stream', 'not base64!'],
    ['application/octet-stream', 5],
    ['application/json', { a: 1n }],
    ['application/json', 1n],
    ['application/json', Number.NaN],
    ['multipart/form-data', { a: { b: 1n } }],
    ['application/json', undefined],
  ])('as %s are refused: %o', async (mediaType, body) => {
    expect(await rejection(post({ [mediaType]: {} }).call({ body }))).toBeInstanceOf(ValidationError);
    expect(server.seen).toEqual([]);
  });
});

describe('calling', () => {
  it('goes to the base of the API, whatever servers the document names', async () => {
    const { data, status } = await operation('/x', 'get', { servers: [{ url: 'https://evil.example' }] }).call();
    expect([data, status, seen().url, seen().headers.host]).toEqual([
      { ok: true },
      200,
      '/v1/x',
      new URL(server.origin).host,
    ]);
  });

  it('takes a signal, a timeout, headers and an idempotency key', async () => {
    const pay = operation('/x', 'post', {});
    await pay.call({}, { headers: { 'x-a': '1' }, idempotencyKey: 'k', timeoutMs: 5_000 });
    expect(seen().headers).toMatchObject({ 'x-a': '1', 'idempotency-key': 'k' });
    const error = new Error('mine');
    expect(await rejection(pay.call({}, { signal: AbortSignal.abort(error) }))).toBe(error);
  });
});
