import type { BroadcastReceiver } from '../../broadcast-transport.js';

/** Who listens on which channel. */
export class InProcessBroadcast {
  readonly #receivers: Map<string, Set<BroadcastReceiver>> = new Map();

  send(channel: string, message: string): number {
    const receivers = [...(this.#receivers.get(channel) ?? [])];
    for (const receive of receivers) receive(message);
    return receivers.length;
  }

  add(channel: string, receive: BroadcastReceiver): () => void {
    const receivers = this.#receivers.get(channel) ?? new Set();
    this.#receivers.set(channel, receivers.add(receive));
    return () => {
      receivers.delete(receive);
      if (receivers.size === 0 && this.#receivers.get(channel) === receivers) this.#receivers.delete(channel);
    };
  }

  clear(): void {
    this.#receivers.clear();
  }
}
