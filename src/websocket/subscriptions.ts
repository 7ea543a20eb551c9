/** What begins and ends a subscription at the server. */
export interface SubscriptionMessages<Out = unknown> {
  /** Sent at once when connected and on every connection to come; a function is asked each time, to go on where it stopped. */
  readonly open: Out | (() => Out);
  /** Sent when it is closed while connected. @default nothing */
  readonly close?: Out | (() => Out);
}

/** A subscription that comes back with the connection. */
export interface Subscription extends Disposable {
  readonly key: string;
  /** Ends it; the last one of its key says so to the server. Does nothing the second time. */
  close(): void;
}

interface Entry<Out> {
  readonly messages: SubscriptionMessages<Out>;
  count: number;
}

/** The subscriptions a server must know of, each key once, in the order in which they were made. */
export class Subscriptions<Out> {
  readonly #entries: Map<string, Entry<Out>> = new Map();
  readonly #send: (key: string, message: () => Out) => void;

  /** @param send Sends when there is a connection, reports what goes wrong, and never throws. */
  constructor(send: (key: string, message: () => Out) => void) {
    this.#send = send;
  }

  get size(): number {
    return this.#entries.size;
  }

  add(key: string, messages: SubscriptionMessages<Out>): Subscription {
    const known = this.#entries.get(key);
    const entry = known ?? { messages, count: 0 };
    entry.count += 1;
    if (!known) {
      this.#entries.set(key, entry);
      this.#send(key, messageOf(messages.open));
    }
    let open = true;
    const close = (): void => {
      if (open) this.#remove(key, entry);
      open = false;
    };
    return { key, close, [Symbol.dispose]: close };
  }

  /** For a new connection. */
  resend(): void {
    for (const [key, { messages }] of this.#entries) this.#send(key, messageOf(messages.open));
  }

  #remove(key: string, entry: Entry<Out>): void {
    entry.count -= 1;
    if (entry.count > 0) return;
    this.#entries.delete(key);
    if (entry.messages.close !== undefined) this.#send(key, messageOf(entry.messages.close));
  }
}

function messageOf<Out>(given: Out | (() => Out)): () => Out {
  return typeof given === 'function' ? (given as () => Out) : () => given;
}
