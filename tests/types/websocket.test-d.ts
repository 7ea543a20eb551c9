import type { EventEmitter } from 'node:events';
import { type Codec, rawCodec, WebSocketIntegration } from '@safla/sdk/websocket';
import { expectTypeOf } from 'vitest';
import type { ClientOptions } from 'ws';
import { z } from 'zod';

const Tick = z.object({ symbol: z.string(), price: z.coerce.number() });
const url = 'wss://feed.example';

const plain = new WebSocketIntegration(url);
expectTypeOf(plain).toExtend<EventEmitter>();
plain.on('message', (message) => expectTypeOf(message).toEqualTypeOf<unknown>());
plain.on('error', (error) => expectTypeOf(error).toEqualTypeOf<Error>());
plain
  .on('disconnected', () => undefined)
  .once('connected', ({ reconnected }) => expectTypeOf(reconnected).toEqualTypeOf<boolean>());
// @ts-expect-error an event that there is not
plain.on('mesage', () => undefined);
expectTypeOf(plain.send).parameter(0).toEqualTypeOf<unknown>();

declare const wsOptions: ClientOptions;
new WebSocketIntegration(url, wsOptions);
new WebSocketIntegration(url, { headers: { a: 'b' }, rejectUnauthorized: false, ca: 'x' });

const checked = new WebSocketIntegration({ url, schema: Tick });
checked.on('message', (tick) => expectTypeOf(tick).toEqualTypeOf<{ symbol: string; price: number }>());
expectTypeOf(checked.request({ op: 'last' })).resolves.toEqualTypeOf<{ symbol: string; price: number }>();
expectTypeOf(checked[Symbol.asyncIterator]().next()).resolves.toExtend<IteratorResult<{ price: number }>>();

const raw = new WebSocketIntegration({ url, codec: rawCodec });
raw.on('message', (frame) => expectTypeOf(frame).toEqualTypeOf<string | Uint8Array>());
// @ts-expect-error the raw codec takes texts and bytes
raw.send({ a: 1 });

declare const lines: Codec<string[], string[]>;
const own = new WebSocketIntegration({ url, codec: lines });
own.on('message', (message) => expectTypeOf(message).toEqualTypeOf<string[]>());
expectTypeOf(own.send).parameter(0).toEqualTypeOf<string[]>();

const typed = new WebSocketIntegration<{ id: number }, { op: string }>({ url });
typed.on('message', ({ id }) => expectTypeOf(id).toEqualTypeOf<number>());
// @ts-expect-error no op
typed.send({ oop: 'x' });
// @ts-expect-error an option that does not exist
new WebSocketIntegration({ url, reconect: false });
// @ts-expect-error no URL
new WebSocketIntegration({ reconnect: false });

// Functions without parameters get their types from the options, too.
new WebSocketIntegration({
  url: () => url,
  closePolicy: () => 'retry',
  token: async () => 'x',
  correlation: { attach: (message) => message, idOf: () => undefined },
});
