import { type CloudEvent, parseMessage } from './cloud-event.js';
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

/** Reads what the log holds. */
export function toLoggedEvent({ channel, id, key, body, time }: StoredEvent): LoggedEvent {
  const { envelope, data } = parseMessage(body);
  return { id, channel, key, time: new Date(envelope?.time ?? time), data, envelope };
}
