import { randomUUID } from 'node:crypto';
import type { EventMemoryOptions, MCPEventStore } from './event-store.js';

interface Kept {
  readonly id: string;
  readonly stream: string;
  readonly json: string;
  readonly at: number;
}

/** What an event takes beside its text, about. */
const overheadBytes = 256;

/** Events of this process, within bounds of bytes and time. */
export class MemoryEventStore implements MCPEventStore {
  readonly #maxBytes: number;
  readonly #ttlMs: number;
  /** Makes ids of an earlier life of the server unknown. */
  readonly #life: string = randomUUID().slice(0, 8);
  /** Oldest first. */
  readonly #events: Map<string, Kept> = new Map();
  readonly #streams: Map<string, Kept[]> = new Map();
  #bytes = 0;
  #count = 0;

  constructor({ maxBytes = 16_777_216, ttlMs = 300_000 }: EventMemoryOptions = {}) {
    this.#maxBytes = maxBytes;
    this.#ttlMs = ttlMs;
  }

  storeEvent(stream: string, message: object): string {
    this.#count += 1;
    const kept = { id: `${this.#life}-${this.#count}`, stream, json: JSON.stringify(message), at: performance.now() };
    this.#events.set(kept.id, kept);
    const events = this.#streams.get(stream);
    if (events) events.push(kept);
    else this.#streams.set(stream, [kept]);
    this.#bytes += sizeOf(kept);
    this.#forgetOld();
    return kept.id;
  }

  getStreamIdForEventId(eventId: string): string | undefined {
    this.#forgetOld();
    return this.#events.get(eventId)?.stream;
  }

  async replayEventsAfter(
    lastEventId: string,
    { send }: { readonly send: (eventId: string, message: object) => Promise<void> },
  ): Promise<string> {
    const last = this.#events.get(lastEventId);
    if (!last) throw new Error('The event is not kept any more');
    const events = this.#streams.get(last.stream) ?? [];
    for (const { id, json } of events.slice(events.indexOf(last) + 1)) {
      // What only made the stream known has nothing in it.
      if (json !== '{}') await send(id, JSON.parse(json) as object);
    }
    return last.stream;
  }

  #forgetOld(): void {
    const oldest = performance.now() - this.#ttlMs;
    for (const kept of this.#events.values()) {
      if (this.#bytes <= this.#maxBytes && kept.at > oldest) return;
      this.#events.delete(kept.id);
      this.#bytes -= sizeOf(kept);
      const events = this.#streams.get(kept.stream);
      // The oldest of all is the oldest of its stream.
      events?.shift();
      if (events?.length === 0) this.#streams.delete(kept.stream);
    }
  }
}

function sizeOf({ json }: Kept): number {
  return json.length + overheadBytes;
}
