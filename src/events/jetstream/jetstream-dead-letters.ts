import type { ConsumerConfig } from '@nats-io/jetstream';
import type { StoredDeadLetter, StoredEvent } from '../event-transport.js';
import type { JetStreamLink } from './jetstream-link.js';
import { type LetterFacts, readEvent, readLetter, writeFacts } from './message-headers.js';
import { readStream } from './stream-reader.js';

/** Dead letters: a stream of their own, and another for those on their way back to their group. */
export class JetStreamDeadLetters {
  readonly #link: JetStreamLink;

  constructor(link: JetStreamLink) {
    this.#link = link;
  }

  /** @param mark Names this giving up, so that one that is told twice makes one letter. */
  async add(
    event: StoredEvent,
    facts: Pick<LetterFacts, 'group' | 'token' | 'reason' | 'attempts'>,
    mark: string,
  ): Promise<void> {
    const { channel, id, key, time, body } = event;
    const letter: LetterFacts = { channel, id, key, time, ...facts };
    await this.#link.ask(`dead letter of '${id}' on '${channel}'`, ({ client, newHeaders }) =>
      client.publish(this.#link.names.deadSubject(channel), body, {
        msgID: mark,
        headers: writeFacts(newHeaders(), letter),
      }),
    );
  }

  async *list(channel: string): AsyncGenerator<StoredDeadLetter, void> {
    const { names } = this.#link;
    const from = {
      stream: names.dead,
      subject: names.deadSubject(channel),
      deliver_policy: 'all' as ConsumerConfig['deliver_policy'],
    };
    for await (const { message, place } of readStream(this.#link, from)) {
      const letter = readLetter(message);
      if (!letter) continue;
      const { group, reason, attempts } = letter;
      const event = readEvent(message, { channel, sequence: place.sequence, time: letter.time });
      yield { letterId: String(place.sequence), group, reason, attempts, time: place.time, event };
    }
  }

  /** False when there is no such letter on the channel, or its group is gone. */
  async requeue(channel: string, letterId: string): Promise<boolean> {
    const { names } = this.#link;
    const sequence = Number(letterId);
    if (!Number.isSafeInteger(sequence) || sequence < 1) return false;
    const doing = `giving back of dead letter ${letterId} on '${channel}'`;
    const { manager, client } = await this.#link.open();
    const stored = await this.#link.find(doing, () => manager.streams.getMessage(names.dead, { seq: sequence }));
    if (!stored || stored.subject !== names.deadSubject(channel)) return false;
    const letter = readLetter({ headers: stored.header });
    if (!letter) return false;
    const group = await this.#link.find(doing, () => manager.consumers.info(names.again, letter.token));
    if (!group) return false;
    await this.#link.ask(doing, () =>
      client.publish(names.againSubject(letter.token), stored.data, {
        msgID: letterId,
        headers: stored.header,
      }),
    );
    return (await this.#link.find(doing, () => manager.streams.deleteMessage(names.dead, sequence, false))) ?? false;
  }
}
