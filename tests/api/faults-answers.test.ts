import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { APIIntegration, type APIIntegrationOptions, ContentError, HTTPError } from '@safla/sdk/api';
import { ConnectionError, ProtocolError, SaflaError, ValidationError } from '@safla/sdk/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import '../support/properties.js';
import { rejection, serve } from './support/server.js';

const open = (origin: string, options: Partial<APIIntegrationOptions> = {}) =>
  new APIIntegration({ baseURL: origin, policy: { retry: false, breaker: false }, ...options });

/** What a request for an answer of these bytes gives. */
async function answered(
  body: string | Buffer,
  headers: Record<string, string> = { 'content-type': 'application/json' },
  status = 200,
) {
  await using server = await serve((_, response) => response.writeHead(status, headers).end(body));
  await using api = open(server.origin);
  return api.request('/x?token=hunter2').then(
    ({ data }) => ({ data }),
    (error: unknown) => ({ error }),
  );
}

describe('an answer that says JSON', () => {
  it.each([
    ['is an error page', '<html><title>502 Bad Gateway</title></html>'],
    ['is cut off', '{"id": 42, "na'],
    ['has a comma too many', '{"a": 1,}'],
    ['has two values', '{}{}'],
  ])('and %s rejects with ContentError, which shows how it begins', async (_, body) => {
    const { error } = (await answered(body)) as { error: ContentError };
    expect(error).toBeInstanceOf(ContentError);
    expect(error).toBeInstanceOf(ProtocolError);
    expect([error.code, error.retryable, error.preview]).toEqual(['PROTOCOL', false, body]);
    expect(error.message).toMatch(/GET http.*\/x: the answer says application\/json but is not valid JSON/);
  });

  it('shows 200 characters at the most, masked, to who asks and to nobody else', async () => {
    const body = `password=hunter2 name=Ada ${'x'.repeat(1_000)}`;
    const { error } = (await answered(body)) as { error: ContentError };
    expect(error.preview).toHaveLength(200);
    expect(error.preview).not.toContain('hunter2');
    const shown =
      inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true }) + JSON.stringify(error) + error.stack;
    expect(shown).not.toMatch(/hunter2|Ada/);
  });

  it('may begin with a byte order mark', async () => {
    expect(await answered('\uFEFF{"a":1}')).toEqual({ data: { a: 1 } });
  });
});

describe('a part of an answer', () => {
  it.each(['application/json', 'text/plain', 'image/png'])('of %s is bytes, wherever it is cut', async (type) => {
    const part = Buffer.from('{"name":"ü').subarray(0, -1);
    const headers = { 'content-type': type, 'content-range': 'bytes 0-9/90' };
    expect(await answered(part, headers, 206)).toEqual({ data: new Uint8Array(part) });
  });
});

describe('a coding that is not known', () => {
  const packed = (type: string) => ({ 'content-type': type, 'content-encoding': 'zstd' });

  it('is named where JSON was to be read', async () => {
    const { error } = (await answered('(\xb5/\xfd', packed('application/json'))) as { error: Error };
    expect(error).toBeInstanceOf(ContentError);
    expect(error.message).toContain('is packed in a coding that is not undone here');
  });

  it('makes no text of packed bytes', async () => {
    const data = new Uint8Array(Buffer.from('(\xb5/\xfd'));
    for (const type of ['text/plain', 'application/octet-stream'])
      expect(await answered(Buffer.from(data), packed(type))).toEqual({ data });
    const identity = { 'content-type': 'text/plain', 'content-encoding': 'identity' };
    expect(await answered('abc', identity)).toEqual({ data: 'abc' });
  });
});

describe('a charset', () => {
  it.each([
    ['iso-8859-1', Buffer.from('gr\xfc\xdfe', 'latin1'), 'grüße'],
    ['utf-16le', Buffer.from('grüße', 'utf16le'), 'grüße'],
    ['"UTF-8"', Buffer.from('grüße'), 'grüße'],
    ['shift_jis', Buffer.from([0x93, 0xfa, 0x96, 0x7b]), '日本'],
  ])('%s is decoded', async (charset, body, text) => {
    expect(await answered(body, { 'content-type': `text/plain; charset=${charset}` })).toEqual({ data: text });
  });

  it('that nobody knows rejects, for text and for JSON', async () => {
    for (const type of ['text/plain', 'application/json']) {
      const { error } = (await answered('{}', { 'content-type': `${type}; charset=x-klingon` })) as { error: Error };
      expect(error).toBeInstanceOf(ContentError);
      expect(error.message).toContain("unknown charset 'x-klingon'");
    }
  });
});

describe.each(['undici', 'http'] as const)('through the transport %s', (transport) => {
  it('an answer without content does not pass for the data that a schema wants', async () => {
    await using server = await serve((_, response) => response.writeHead(204).end());
    await using api = open(server.origin, { transport });
    expect((await api.request('/x')).data).toBeUndefined();
    const error = await rejection(api.request('/x', { schema: z.object({ id: z.string() }) }));
    expect(error).toBeInstanceOf(ValidationError);
  });

  it('an answer of 10 MiB passes, and one byte more does not, packed or not', async () => {
    const limit = 10 * 1024 * 1024;
    await using server = await serve((seen, response) => {
      const bytes = Buffer.alloc(seen.url.startsWith('/fits') ? limit : limit + 1);
      if (!seen.url.endsWith('packed')) return response.end(bytes);
      return response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(bytes));
    });
    await using api = open(server.origin, { transport });
    for (const form of ['plain', 'packed']) {
      expect(((await api.get(`/fits/${form}`)) as string).length).toBe(limit);
      const error = (await rejection(api.get(`/exceeds/${form}`))) as Error;
      expect(error).toBeInstanceOf(ProtocolError);
      expect(error.message).toContain(`larger than ${limit} bytes (maxResponseBytes)`);
    }
  });

  it('a body that ends too early rejects with ConnectionError', async () => {
    await using server = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '20' });
      response.write('{"a":1}', () => response.destroy());
    });
    await using api = open(server.origin, { transport });
    expect(await rejection(api.get('/x'))).toBeInstanceOf(ConnectionError);
  });

  it('what could change a request is refused before it is sent', async () => {
    await using server = await serve((_, response) => response.end());
    await using api = open(server.origin, { transport });
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    for (const options of [
      { headers: { 'x-a': 'a\r\nx-b: c' } },
      { headers: { 'x-a\r\nx-b': 'c' } },
      { headers: { 'transfer-encoding': 'chunked' } },
      { idempotencyKey: 'a\nb' },
      { method: 'GET / HTTP/1.1\r\nx-a: b' },
      { method: 'POST', body: { id: 1n } },
      { method: 'POST', body: cycle },
    ]) {
      expect(await rejection(api.request('/x', options))).toBeInstanceOf(ValidationError);
    }
    expect(server.seen).toEqual([]);
  });

  it('whatever bytes come back, a request ends with an answer or an error of ours', async () => {
    let bytes = Buffer.alloc(0);
    const server = createServer((socket) => {
      socket.on('error', () => undefined).once('data', () => socket.end(bytes));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    await using api = open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { transport });
    const head = fc.constantFrom(
      'HTTP/1.1 200 OK\r\n',
      'HTTP/1.1 500 X\r\n',
      'HTTP/1.1 103 Y\r\n\r\n',
      'HTTP/1.0 204\r\n',
      '',
    );
    const field = fc.constantFrom(
      'content-length: 5\r\n',
      'content-length: -1\r\n',
      'transfer-encoding: chunked\r\n',
      'content-encoding: gzip\r\n',
      'content-encoding: br, br, br, br\r\n',
      'content-type: application/json\r\n',
      'content-type: text/plain; charset=?\r\n',
      'retry-after: x\r\n',
      'ratelimit: ;;;\r\n',
      'location: //\r\n',
      ': \r\n',
    );
    const answer = fc.tuple(head, fc.array(field, { maxLength: 4 }), fc.uint8Array({ maxLength: 64 }));
    await fc.assert(
      fc.asyncProperty(answer, async ([start, fields, rest]) => {
        bytes = Buffer.concat([Buffer.from(`${start + fields.join('')}\r\n`, 'latin1'), rest]);
        const outcome = await api.request('/x', { timeoutMs: 20_000 }).catch((error: unknown) => error);
        expect(SaflaError.is(outcome) || (outcome as { status: number }).status >= 200).toBe(true);
        if (SaflaError.is(outcome)) expect(['CONNECTION', 'PROTOCOL', 'HTTP_STATUS']).toContain(outcome.code);
      }),
    );
    server.close();
  });
});

describe('an error page', () => {
  it('that is not what it says is an HTTPError with its status all the same', async () => {
    await using server = await serve((_, response) => {
      response.writeHead(502, { 'content-type': 'application/json' }).end('<html>');
    });
    await using api = open(server.origin);
    const error = await rejection(api.get('/x'));
    expect(error).toBeInstanceOf(HTTPError);
    expect((error as HTTPError).data).toBeUndefined();
  });
});
