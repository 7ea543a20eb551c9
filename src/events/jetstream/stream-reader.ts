import type { ConsumerConfig } from '@nats-io/jetstream';
import type { Msg } from '@nats-io/transport-node';
import type { JetStreamLink } from './jetstream-link.js';
import { nanoseconds } from './jetstream-link.js';
import { type MessagePlace, messagePlace } from './message-place.js';
import { PullSource } from './pull-source.js';

/** A message of a stream and its place there. */
export interface ReadMessage {
  readonly message: Msg;
  readonly place: MessagePlace;
}

/** Where reading begins: at the oldest message, at a sequence, or at a time. */
export type ReadStart = Pick<ConsumerConfig, 'deliver_policy' | 'opt_start_seq' | 'opt_start_time'>;

const batch = 256;
/** The server forgets a reader that went away after this time, in milliseconds. */
const forgottenAfterMs = 30_000;

/** Reads a subject of a stream, oldest first, up to the newest message when reading begins. */
export async function* readStream(
  link: JetStreamLink,
  from: ReadStart & { readonly stream: string; readonly subject: string },
): AsyncGenerator<ReadMessage, void> {
  const { stream, subject: filter_subject, ...start } = from;
  const { nats, manager, newInbox } = await link.open();
  const doing = `reading of '${filter_subject}'`;
  const newest = await link.find(doing, () => manager.streams.getMessage(stream, { last_by_subj: filter_subject }));
  if (!newest) return;
  const consumer = await link.ask(doing, () =>
    manager.consumers.add(stream, {
      ...start,
      filter_subject,
      ack_policy: 'none' as ConsumerConfig['ack_policy'],
      inactive_threshold: nanoseconds(forgottenAfterMs),
      mem_storage: true,
      num_replicas: 1,
    }),
  );
  const found: ReadMessage[] = [];
  let resume: (() => void) | undefined;
  const source = new PullSource(
    nats,
    { stream, name: consumer.name, inbox: newInbox() },
    {
      onMessage: (message) => {
        found.push({ message, place: messagePlace(message.reply) });
        resume?.();
      },
      onIdle: () => resume?.(),
    },
  );
  try {
    if (consumer.num_pending === 0) return;
    for (;;) {
      while (found.length === 0) {
        const woken = new Promise<void>((resolve) => {
          resume = resolve;
        });
        source.ask(batch);
        await woken;
      }
      for (const read of found.splice(0)) {
        if (read.place.sequence > newest.seq) return;
        yield read;
        if (read.place.sequence === newest.seq || read.place.pending === 0) return;
      }
    }
  } finally {
    await source.close();
    await link.find(doing, () => manager.consumers.delete(stream, consumer.name));
  }
}
