import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { ClosedError, ProtocolError } from '@safla/sdk/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StdioWire } from '../../src/mcp/server/stdio-wire.js';

/** Stdout as the wire knows it, with a pipe that may be full. */
class Pipe extends EventEmitter {
  readonly texts: string[] = [];
  full = false;

  write(text: string): boolean {
    this.texts.push(text);
    return !this.full;
  }
}

async function open() {
  const stdin = new PassThrough();
  const stdout = new Pipe();
  const wire = new StdioWire(stdin, stdout);
  const messages: unknown[] = [];
  const errors: Error[] = [];
  let ends = 0;
  wire.onmessage = (message) => messages.push(message);
  wire.onerror = (error) => errors.push(error);
  wire.onclose = () => {
    ends += 1;
  };
  await wire.start();
  return { stdin, stdout, wire, messages, errors, ends: () => ends };
}

describe('the stdio of a server', () => {
  it('hears the same messages wherever the bytes are cut', async () => {
    const message = fc.record({ jsonrpc: fc.constant('2.0'), method: fc.string({ unit: 'grapheme' }) });
    await fc.assert(
      fc.asyncProperty(fc.array(message), fc.array(fc.nat({ max: 200 })), async (sent, cuts) => {
        const { stdin, wire, messages } = await open();
        const bytes = Buffer.from(sent.map((one) => `${JSON.stringify(one)}\r\n`).join(''));
        const at = [...cuts.filter((cut) => cut <= bytes.length), 0, bytes.length].sort((a, b) => a - b);
        for (let index = 1; index < at.length; index++) stdin.write(bytes.subarray(at[index - 1], at[index]));
        await turn();
        expect(messages).toEqual(sent);
        await wire.close();
      }),
    );
  });

  it('skips what is no JSON, and reports JSON that is no JSON-RPC', async () => {
    const { stdin, messages, errors } = await open();
    stdin.write('hello\n{"jsonrpc":"1.0"}\nnull\n[]\n{"jsonrpc":"2.0","method":"m"}\n');
    await turn();
    expect(messages).toEqual([{ jsonrpc: '2.0', method: 'm' }]);
    expect(errors.map((error) => error instanceof ProtocolError)).toEqual([true, true, true]);
  });

  it('writes one line for a message, and waits for room when the pipe is full', async () => {
    const { stdout, wire } = await open();
    await wire.send({ id: 1, text: 'a\nb' });
    stdout.full = true;
    let sent = false;
    const sending = wire.send({ id: 2 }).then(() => {
      sent = true;
    });
    await turn();
    expect(sent).toBe(false);
    stdout.emit('drain');
    await sending;
    expect(stdout.texts).toEqual(['{"id":1,"text":"a\\nb"}\n', '{"id":2}\n']);
    expect([stdout.listenerCount('drain'), stdout.listenerCount('error')]).toEqual([0, 1]);
  });

  it('closes once when the client closes its end, and leaves no listener', async () => {
    const { stdin, stdout, wire, ends } = await open();
    const before = new PassThrough().eventNames().length;
    stdin.end();
    await turn();
    await wire.close();
    expect(ends()).toBe(1);
    expect(stdin.listenerCount('data') + stdout.listenerCount('error')).toBe(0);
    expect(stdin.eventNames().length).toBeLessThanOrEqual(before);
    await expect(wire.send({})).rejects.toBeInstanceOf(ClosedError);
  });

  it('closes when the client had closed its end before', async () => {
    const stdin = new PassThrough();
    stdin.end().resume();
    await turn();
    const wire = new StdioWire(stdin, new Pipe());
    const closed = new Promise<void>((resolve) => {
      wire.onclose = resolve;
    });
    await wire.start();
    await closed;
  });

  it('closes when stdout breaks, also for a message that waits for room', async () => {
    const { stdout, wire, errors, ends } = await open();
    stdout.full = true;
    const sending = wire.send({});
    stdout.emit('error', new Error('EPIPE'));
    await expect(sending).rejects.toThrow('EPIPE');
    expect([errors.length, ends()]).toEqual([1, 1]);
  });

  it('closes when a message has no end within 10 MiB', async () => {
    const { stdin, errors, ends } = await open();
    for (let mebi = 0; mebi <= 10; mebi++) stdin.write(Buffer.alloc(1024 * 1024, 97));
    await turn();
    expect(errors[0]).toBeInstanceOf(ProtocolError);
    expect([errors.length, ends()]).toEqual([1, 1]);
  });
});
