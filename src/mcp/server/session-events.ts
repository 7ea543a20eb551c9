import { randomUUID } from 'node:crypto';
import type { MCPEventStore } from './event-store.js';

/** The events of one session, out of a store that sessions share: a client sees its own alone. */
export class SessionEvents implements MCPEventStore {
  readonly #store: MCPEventStore;
  readonly #prefix: string;
  #greeting: string | undefined;

  constructor(store: MCPEventStore, session: string) {
    this.#store = store;
    this.#prefix = `${session}/`;
  }

  async storeEvent(streamId: string, message: object): Promise<string> {
    // Who has no answer to `initialize` has no session to come back to.
    this.#greeting ??= streamId;
    if (streamId === this.#greeting) return randomUUID();
    return this.#store.storeEvent(this.#prefix + streamId, message);
  }

  async getStreamIdForEventId(eventId: string): Promise<string | undefined> {
    return this.#own(await this.#store.getStreamIdForEventId(eventId));
  }

  async replayEventsAfter(
    lastEventId: string,
    to: { readonly send: (eventId: string, message: object) => Promise<void> },
  ): Promise<string> {
    const stream = this.#own(await this.#store.replayEventsAfter(lastEventId, to));
    if (stream === undefined) throw new Error('The event is of another session');
    return stream;
  }

  #own(stream: string | undefined): string | undefined {
    return stream?.startsWith(this.#prefix) ? stream.slice(this.#prefix.length) : undefined;
  }
}
