import type { ConsumerConfig } from '@nats-io/jetstream';
import type { LogRange, StartPosition, StoredEvent } from '../event-transport.js';
import { noSuchEvent } from '../transport-errors.js';
import type { JetStreamLink } from './jetstream-link.js';
import { readEvent } from './message-headers.js';
import { type ReadStart, readStream } from './stream-reader.js';

const policy = (name: 'all' | 'new' | 'by_start_sequence' | 'by_start_time'): ConsumerConfig['deliver_policy'] =>
  name as ConsumerConfig['deliver_policy'];

/** Reads channels of the log again, and finds places in it. */
export class JetStreamLog {
  readonly #link: JetStreamLink;

  constructor(link: JetStreamLink) {
    this.#link = link;
  }

  /** @throws NotFoundError when an end names an id that the log does not hold */
  async *read(channel: string, { from, to }: LogRange): AsyncGenerator<StoredEvent, void> {
    const last = to && 'id' in to ? await this.#sequenceOf(channel, to.id) : Number.POSITIVE_INFINITY;
    const until = to && 'time' in to ? to.time : Number.POSITIVE_INFINITY;
    for await (const { event, sequence } of this.#events(channel, await this.start(channel, from))) {
      if (sequence > last || event.time > until) return;
      yield event;
    }
  }

  /** Where a consumer begins. @throws NotFoundError */
  async start(channel: string, from: StartPosition): Promise<ReadStart> {
    if (from === 'new') return { deliver_policy: policy('new') };
    if (from === 'start') return { deliver_policy: policy('all') };
    if ('time' in from) {
      return { deliver_policy: policy('by_start_time'), opt_start_time: new Date(from.time).toISOString() };
    }
    return {
      deliver_policy: policy('by_start_sequence'),
      opt_start_seq: await this.#sequenceOf(channel, from.id),
    };
  }

  /** The server has no index of ids, so this reads the channel. The latest counts where an id stands there twice. */
  async #sequenceOf(channel: string, id: string): Promise<number> {
    let found: number | undefined;
    for await (const { event, sequence } of this.#events(channel, await this.start(channel, 'start'))) {
      if (event.id === id) found = sequence;
    }
    if (found !== undefined) return found;
    throw noSuchEvent(channel, id);
  }

  async *#events(
    channel: string,
    start: ReadStart,
  ): AsyncGenerator<{ readonly event: StoredEvent; readonly sequence: number }> {
    const { names } = this.#link;
    const from = { ...start, stream: names.log, subject: names.subject(channel) };
    for await (const { message, place } of readStream(this.#link, from)) {
      yield { event: readEvent(message, { ...place, channel }), sequence: place.sequence };
    }
  }
}
