import { TypedEmitter } from '@safla/sdk/core';
import { describe, expect, it } from 'vitest';

interface Events {
  message: [text: string];
  error: [error: Error];
}

class Source extends TypedEmitter<Events> {
  readonly failures: unknown[] = [];

  protected override onListenerError(error: unknown): void {
    this.failures.push(error);
  }
}

describe('TypedEmitter', () => {
  it('calls every listener although one throws', () => {
    const source = new Source();
    const seen: string[] = [];
    source.on('message', () => {
      throw new Error('mine');
    });
    source.on('message', (text) => seen.push(text));
    expect(source.emit('message', 'hello')).toBe(true);
    expect(seen).toEqual(['hello']);
    expect(source.failures).toEqual([new Error('mine')]);
  });

  it('takes up what an asynchronous listener rejects with', async () => {
    const source = new Source();
    source.on('message', async () => {
      throw new Error('later');
    });
    source.emit('message', 'x');
    await new Promise((resolve) => setImmediate(resolve));
    expect(source.failures).toEqual([new Error('later')]);
  });

  it('does not throw an error event that nobody listens to', () => {
    expect(new Source().emit('error', new Error('nobody'))).toBe(false);
  });

  it('calls once-listeners once', () => {
    const source = new Source();
    let times = 0;
    source.once('message', () => {
      times += 1;
    });
    source.emit('message', 'a');
    source.emit('message', 'b');
    expect(times).toBe(1);
  });
});
