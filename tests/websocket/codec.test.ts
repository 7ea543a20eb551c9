import { ProtocolError, ValidationError } from '@safla/sdk/core';
import { type Codec, type FrameData, jsonCodec, rawCodec, WebSocketIntegration } from '@safla/sdk/websocket';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { encodeJSON } from '../../src/core/internal.js';
import { record, startServer, until } from './support.js';

describe('jsonCodec', () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withSparseArray: true,
    withNullPrototype: true,
    withTypedArray: false,
  });
  const outcome = (run: () => unknown): unknown => {
    try {
      return run();
    } catch (error) {
      return (error as Error).message;
    }
  };

  it('writes and refuses exactly what encodeJSON does', () => {
    fc.assert(
      fc.property(anything, (value) => {
        expect(outcome(() => jsonCodec.encode(value))).toEqual(outcome(() => encodeJSON(value, 'message')));
      }),
    );
    for (const value of [
      { toJSON: () => 1 },
      { a: { toJSON: () => undefined } },
      Object.assign([1], { toJSON: () => 2 }),
      new Date(0),
      new Date(Number.NaN),
      new Error('x'),
    ]) {
      expect(outcome(() => jsonCodec.encode(value))).toEqual(outcome(() => encodeJSON(value, 'message')));
    }
  });

  it('reads back every JSON value, from text and from bytes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(jsonCodec.decode(text)).toEqual(JSON.parse(text));
        expect(jsonCodec.decode(Buffer.from(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('gives any other bytes as they are', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const decoded = jsonCodec.decode(bytes);
        if (decoded instanceof Uint8Array) expect(decoded).toBe(bytes);
        else expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual(decoded);
      }),
    );
    const cut = Buffer.from('{"a":1');
    expect(jsonCodec.decode(cut)).toBe(cut);
  });

  it('refuses a cycle fast, however wide', () => {
    const wide: Record<string, unknown> = {};
    for (let i = 0; i < 50; i++) wide[`k${i}`] = wide;
    expect(() => jsonCodec.encode(wide)).toThrow(ValidationError);
  });
});

describe('messages', () => {
  it('that cannot be decoded are told with their data, and the connection goes on', async () => {
    await using server = await startServer((socket) => {
      socket.send('{"token": "hunter2abc", }');
      socket.send('{"ok":true}');
    });
    await using ws = new WebSocketIntegration(server.url);
    const [messages, decodeErrors, errors] = [
      record<unknown>(ws, 'message'),
      record<{ data: FrameData; error: Error }>(ws, 'decodeError'),
      record(ws, 'error'),
    ];
    await ws.connect();
    await until(() => messages.length === 1);
    expect(messages).toEqual([{ ok: true }]);
    expect(errors).toEqual([]);
    expect(decodeErrors[0]?.data).toBe('{"token": "hunter2abc", }');
    expect(decodeErrors[0]?.error).toBeInstanceOf(ProtocolError);
    expect(JSON.stringify(decodeErrors[0]?.error) + String(decodeErrors[0]?.error.stack)).not.toContain('hunter2abc');
    expect(ws.stats()).toMatchObject({ received: 2, decodeErrors: 1, state: 'open' });
  });

  it('are checked and turned by a schema; the others are decodeErrors', async () => {
    await using server = await startServer((socket) => {
      socket.send('{"price":"12"}');
      socket.send('{"price":"much"}');
    });
    await using ws = new WebSocketIntegration({ url: server.url, schema: z.object({ price: z.coerce.number() }) });
    const [prices, decodeErrors] = [[] as number[], record<{ error: unknown }>(ws, 'decodeError')];
    ws.on('message', ({ price }) => prices.push(price));
    await ws.connect();
    await until(() => decodeErrors.length === 1);
    expect(prices).toEqual([12]);
    expect(decodeErrors[0]?.error).toBeInstanceOf(ValidationError);
  });

  it('go through a codec of your own, whose errors stay on their side', async () => {
    const lines: Codec<string[], string[]> = {
      name: 'lines',
      encode: (message) => message.join('\n'),
      decode(data) {
        if (typeof data !== 'string') throw new TypeError('no binary here');
        return data.split('\n');
      },
    };
    await using server = await startServer((socket) => {
      socket.on('message', (data) => {
        socket.send(data, { binary: true });
        socket.send(data, { binary: false });
      });
    });
    await using ws = new WebSocketIntegration({ url: server.url, codec: lines });
    const [messages, decodeErrors] = [record<string[]>(ws, 'message'), record<{ error: Error }>(ws, 'decodeError')];
    await ws.connect();
    await ws.send(['a', 'b']);
    await until(() => messages.length === 1);
    expect(messages).toEqual([['a', 'b']]);
    expect(decodeErrors[0]?.error).toMatchObject({ code: 'PROTOCOL', cause: { message: 'no binary here' } });
    await expect(ws.send({ length: 1 } as never)).rejects.toThrow();
  });

  it('pass untouched by the raw codec, which refuses anything else', async () => {
    await using server = await startServer((socket) => {
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
    await using ws = new WebSocketIntegration({ url: server.url, codec: rawCodec });
    const messages = record<FrameData>(ws, 'message');
    await ws.connect();
    ws.send('{"text":');
    ws.send(new Uint8Array([1, 2]));
    await until(() => messages.length === 2);
    expect(messages).toEqual(['{"text":', Buffer.from([1, 2])]);
    await expect(ws.send({} as never)).rejects.toBeInstanceOf(ValidationError);
  });
});
