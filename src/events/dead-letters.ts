import type { EventTransport, StoredDeadLetter } from './event-transport.js';
import { type LoggedEvent, toLoggedEvent } from './logged-event.js';

/** An event that one group gave up: its last delivery failed, or its data does not match the schema. */
export interface DeadLetter {
  /** Unique within the channel's dead letters. */
  readonly letterId: string;
  readonly channel: string;
  /** The group that gave it up. Other groups are not concerned. */
  readonly group: string;
  /** Name and message of the last failure, secrets masked; at most 1000 characters. */
  readonly reason: string;
  /** How often it was delivered. */
  readonly attempts: number;
  /** When it was given up. */
  readonly time: Date;
  readonly event: LoggedEvent;
}

/** Which dead letters are meant. */
export interface DeadLetterSelection {
  /** Only those of this group. @default all groups */
  readonly group?: string;
  /** At most this many, oldest first. @default all */
  readonly limit?: number;
}

/**
 * The dead letters of one channel.
 *
 * @example
 * for await (const { event, reason } of stream.deadLetters('order.paid')) console.error(event.id, reason);
 * await stream.deadLetters('order.paid').requeue();
 */
export class DeadLetters implements AsyncIterable<DeadLetter> {
  readonly #transport: EventTransport;
  readonly #channel: string;
  readonly #assertOpen: () => void;

  constructor(transport: EventTransport, channel: string, assertOpen: () => void) {
    this.#transport = transport;
    this.#channel = channel;
    this.#assertOpen = assertOpen;
  }

  /** Oldest first. */
  async *[Symbol.asyncIterator](): AsyncGenerator<DeadLetter, void> {
    for await (const letter of this.#stored({})) yield toDeadLetter(letter);
  }

  /** Oldest first, as an array. */
  async list(selection: DeadLetterSelection = {}): Promise<DeadLetter[]> {
    const letters: DeadLetter[] = [];
    for await (const letter of this.#stored(selection)) letters.push(toDeadLetter(letter));
    return letters;
  }

  /**
   * Gives them back to the groups that gave them up, as a first attempt. Only those groups get them.
   *
   * @param letters letters or their ids; without it, those of `selection`
   * @returns how many were given back
   */
  async requeue(letters: DeadLetterSelection | readonly (DeadLetter | string)[] = {}): Promise<number> {
    this.#assertOpen();
    const ids: string[] = [];
    if (isList(letters)) for (const letter of letters) ids.push(typeof letter === 'string' ? letter : letter.letterId);
    else for await (const letter of this.#stored(letters)) ids.push(letter.letterId);
    return this.#transport.requeue(this.#channel, ids);
  }

  async *#stored({ group, limit = Number.POSITIVE_INFINITY }: DeadLetterSelection): AsyncGenerator<StoredDeadLetter> {
    this.#assertOpen();
    let left = limit;
    if (left <= 0) return;
    for await (const letter of this.#transport.deadLetters(this.#channel)) {
      if (group !== undefined && letter.group !== group) continue;
      yield letter;
      left -= 1;
      if (left <= 0) return;
    }
  }
}

/** The letter as the host sees it. */
export function toDeadLetter({ event, time, ...letter }: StoredDeadLetter): DeadLetter {
  return { ...letter, channel: event.channel, time: new Date(time), event: toLoggedEvent(event) };
}

function isList(
  letters: DeadLetterSelection | readonly (DeadLetter | string)[],
): letters is readonly (DeadLetter | string)[] {
  return Array.isArray(letters);
}
