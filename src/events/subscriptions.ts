import type { BroadcastTransport } from './broadcast-transport.js';

interface Subscription {
  count: number;
  /** Resolves, once the channel is listened to, with how to stop. */
  readonly listening: Promise<() => Promise<void>>;
}

/** The channels one bus listens to, each counted, so that users of one bus do not end each other's subscriptions. */
export class Subscriptions {
  readonly #transport: BroadcastTransport;
  readonly #receive: (channel: string, message: string) => void;
  readonly #channels: Map<string, Subscription> = new Map();

  constructor(transport: BroadcastTransport, receive: (channel: string, message: string) => void) {
    this.#transport = transport;
    this.#receive = receive;
  }

  get channels(): readonly string[] {
    return [...this.#channels.keys()];
  }

  /** All or none. */
  async add(channels: readonly string[]): Promise<void> {
    const results = await Promise.allSettled(channels.map((channel) => this.#add(channel)));
    const failure = results.find((result) => result.status === 'rejected');
    if (!failure) return;
    await this.remove(channels.filter((_, index) => results[index]?.status === 'fulfilled'));
    throw failure.reason;
  }

  async remove(channels: readonly string[]): Promise<void> {
    await Promise.all(channels.map((channel) => this.#remove(channel)));
  }

  async clear(): Promise<void> {
    const all = [...this.#channels.values()];
    this.#channels.clear();
    await Promise.all(all.map(({ listening }) => stop(listening)));
  }

  async #add(channel: string): Promise<void> {
    const subscription = this.#channels.get(channel) ?? this.#listen(channel);
    subscription.count += 1;
    try {
      await subscription.listening;
    } catch (error) {
      if (this.#channels.get(channel) === subscription) this.#channels.delete(channel);
      throw error;
    }
  }

  #listen(channel: string): Subscription {
    const listening = this.#transport.listen(channel, (message) => {
      // A subscription that was ended may still get what was on its way.
      if (this.#channels.get(channel) === subscription) this.#receive(channel, message);
    });
    const subscription: Subscription = { count: 0, listening };
    this.#channels.set(channel, subscription);
    return subscription;
  }

  async #remove(channel: string): Promise<void> {
    const subscription = this.#channels.get(channel);
    if (!subscription) return;
    subscription.count -= 1;
    if (subscription.count > 0) return;
    this.#channels.delete(channel);
    await stop(subscription.listening);
  }
}

async function stop(listening: Promise<() => Promise<void>>): Promise<void> {
  const end = await listening.catch(() => undefined);
  await end?.();
}
