/**
 * A codec of your own: sensor readings of ten bytes each in binary frames, instead of JSON.
 *
 *     npx tsx examples/websocket-own-codec.ts
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { ProtocolError } from '@safla/sdk/core';
import { type Codec, WebSocketIntegration } from '@safla/sdk/websocket';
import { WebSocketServer } from 'ws';

interface Reading {
  readonly sensor: number;
  readonly celsius: number;
}

/** Two bytes of sensor, eight of temperature, big-endian. */
const readings: Codec<Reading, Reading> = {
  name: 'readings',
  encode({ sensor, celsius }) {
    const bytes = Buffer.alloc(10);
    bytes.writeUInt16BE(sensor, 0);
    bytes.writeDoubleBE(celsius, 2);
    return bytes;
  },
  decode(data) {
    if (typeof data === 'string' || data.byteLength !== 10) throw new RangeError('a reading has ten bytes');
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    return { sensor: bytes.readUInt16BE(0), celsius: bytes.readDoubleBE(2) };
  },
};

const echo = new WebSocketServer({ port: 0, host: '127.0.0.1' });
echo.on('connection', (socket) => {
  socket.send('hello, I speak text');
  socket.on('message', (data) => socket.send(data, { binary: true }));
});
await once(echo, 'listening');

await using ws = new WebSocketIntegration({
  url: `ws://127.0.0.1:${(echo.address() as AddressInfo).port}`,
  codec: readings,
});
const refused: unknown[] = [];
ws.on('decodeError', ({ error }) => refused.push(error));

const messages = ws.messages({ timeoutMs: 10_000 });
ws.send({ sensor: 7, celsius: 21.5 }); // waits for the connection
await ws.connect();
const { value: reading } = await messages.next();

assert.deepEqual(reading, { sensor: 7, celsius: 21.5 });
assert.ok(refused[0] instanceof ProtocolError);
console.log(`sensor ${reading?.sensor}: ${reading?.celsius} °C, in ten bytes`);
console.log(`and beside it: ${(refused[0] as Error).message}`);
await ws.close();
echo.close();
