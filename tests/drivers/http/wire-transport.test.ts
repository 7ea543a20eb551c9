import { describe, expect, it } from 'vitest';
import { WireTransport } from '../../../src/drivers/http/wire-transport.js';
import { rejection } from '../../api/support/server.js';

/** A driver that is being loaded, without end. */
class LoadingTransport extends WireTransport {
  constructor() {
    super({ maxResponseBytes: 1, connectTimeoutMs: 1, idleTimeoutMs: 1 });
  }

  protected override dispatch(): Promise<void> {
    return new Promise(() => undefined);
  }

  protected override async release(): Promise<void> {}
}

describe('a transport whose driver is being loaded', () => {
  it('lets go of who leaves, at once, and closes then', async () => {
    const transport = new LoadingTransport();
    const controller = new AbortController();
    const pending = rejection(transport.send({ method: 'GET', url: 'http://x.example/', signal: controller.signal }));
    controller.abort('gone');
    expect(await pending).toBe('gone');
    await transport.close();
  });
});
