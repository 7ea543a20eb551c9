import { inspect } from 'node:util';
import { type CloudEvent, parseAttributes, parseJSON, parseMessage } from './cloud-event.js';
import type { StoredEvent } from './event-transport.js';

/** An event of the log as the host sees it. */
export interface LoggedEvent<Data = unknown> {
  /** Its id in the log, unique within the channel. */
  readonly id: string;
  readonly channel: string;
  /** Undefined when it was published without one. */
  readonly key: string | undefined;
  /** When it was published; for a message without an envelope, when the log took it. */
  readonly time: Date;
  readonly data: Data;
  /** The CloudEvents envelope. Undefined marks a message that is not a CloudEvent: `data` then is what it holds. */
  readonly envelope: CloudEvent | undefined;
}

/** What the log holds, read. Most who get it look at nothing but the data: the rest is made when it is asked for. */
export class StoredMessage implements LoggedEvent {
  static {
    // A method of this name has no declaration that can be written without inference.
    const value = function (this: StoredMessage): LoggedEvent {
      return this.toJSON();
    };
    Object.defineProperty(this.prototype, inspect.custom, { value });
  }

  readonly id: string;
  readonly channel: string;
  readonly key: string | undefined;
  /** A schema may put its output here. */
  data: unknown;
  readonly #stored: StoredEvent;
  #envelope: CloudEvent | undefined;

  constructor(stored: StoredEvent) {
    this.id = stored.id;
    this.channel = stored.channel;
    this.key = stored.key;
    this.#stored = stored;
    if (stored.attributes === undefined) {
      const { envelope, data } = parseMessage(stored.body);
      this.data = data;
      this.#envelope = envelope;
    } else {
      this.data = parseJSON(stored.body);
    }
  }

  get time(): Date {
    return new Date(this.#attributes?.time ?? this.#stored.time);
  }

  get envelope(): CloudEvent | undefined {
    const { attributes, id, key, body } = this.#stored;
    const known = attributes === undefined ? undefined : parseAttributes(attributes);
    if (known) {
      this.#envelope ??= { ...known, id, ...(key === undefined ? {} : { partitionkey: key }), data: parseJSON(body) };
    }
    return this.#envelope;
  }

  /** The publisher's, or the event's id where there was none. */
  get correlationId(): string {
    return this.#attributes?.correlationid ?? this.id;
  }

  /** Its fields, for those that list them: a logger, `JSON.stringify`, `console.log`. */
  toJSON(): LoggedEvent {
    const { id, channel, key, time, data, envelope } = this;
    return { id, channel, key, time, data, envelope };
  }

  get #attributes(): Partial<Pick<CloudEvent, 'time' | 'correlationid'>> | undefined {
    const { attributes } = this.#stored;
    return attributes === undefined ? this.#envelope : parseAttributes(attributes);
  }
}

/** Reads what the log holds. */
export function toLoggedEvent(stored: StoredEvent): LoggedEvent {
  return new StoredMessage(stored).toJSON();
}
