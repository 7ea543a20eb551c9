import { fileURLToPath } from 'node:url';
import {
  type Delivery,
  type EventTransport,
  inProcess,
  type LogRange,
  type Outcome,
  type OutgoingEvent,
  type Receipt,
  type StoredDeadLetter,
  type StoredEvent,
  type SubscriptionRequest,
  type TransportSubscription,
} from '@safla/sdk/events';
import { eventTransportContract } from '@safla/sdk/testing';
import { describe, expect, it } from 'vitest';
import { run } from '../../scripts/run.js';
import { CollectingRunner } from './fixtures/collecting-runner.js';
import { WrappedTransport } from './fixtures/wrapped-transport.js';

async function* without<T>(items: AsyncIterable<T>, left: (item: T, index: number) => boolean): AsyncIterable<T> {
  let index = 0;
  for await (const item of items) if (!left(item, index++)) yield item;
}

/** Each transport breaks one promise; the case that guards it must fail. */
const broken: Readonly<Record<string, new (inner: EventTransport) => WrappedTransport>> = {
  'delivers events as they were published, in their order, as attempt 1': class extends WrappedTransport {
    override event(event: StoredEvent): StoredEvent {
      return { ...event, body: event.body.normalize('NFD') };
    }
  },
  'keeps channels apart': class extends WrappedTransport {
    override subscribe(request: SubscriptionRequest): Promise<TransportSubscription> {
      return super.subscribe({ ...request, channel: '**' });
    }
  },
  'waits in pull until an event comes': class extends WrappedTransport {
    override pull(subscription: TransportSubscription, max: number): Promise<readonly Delivery[]> {
      return super.pull(subscription, max, AbortSignal.timeout(1));
    }
  },
  'ends a waiting pull empty when its signal aborts': class extends WrappedTransport {
    override async pull(
      subscription: TransportSubscription,
      max: number,
      signal: AbortSignal,
    ): Promise<readonly Delivery[]> {
      const batch = await super.pull(subscription, max, signal);
      signal.throwIfAborted();
      return batch;
    }
  },
  'does not deliver again what was acknowledged, also to members that come later': class extends WrappedTransport {
    override settle(delivery: Delivery, outcome: Outcome): Promise<void> {
      return super.settle(delivery, outcome.kind === 'ack' ? { kind: 'return' } : outcome);
    }
  },
  'delivers again after a failure, once its delay has passed, as the next attempt': class extends WrappedTransport {
    override settle(delivery: Delivery, outcome: Outcome): Promise<void> {
      return super.settle(delivery, outcome.kind === 'retry' ? { kind: 'retry', delayMs: 0 } : outcome);
    }
  },
  'lets others pass an event that waits for its next attempt': class extends WrappedTransport {
    #waiting = false;
    override settle(delivery: Delivery, outcome: Outcome): Promise<void> {
      this.#waiting ||= outcome.kind === 'retry';
      return super.settle(delivery, outcome);
    }
    override pull(subscription: TransportSubscription, max: number, signal: AbortSignal): Promise<readonly Delivery[]> {
      return this.#waiting ? Promise.resolve([]) : super.pull(subscription, max, signal);
    }
  },
  'delivers again at once what was returned': class extends WrappedTransport {
    override settle(delivery: Delivery, outcome: Outcome): Promise<void> {
      return super.settle(delivery, outcome.kind === 'return' ? { kind: 'ack' } : outcome);
    }
  },
  'counts only the first settlement of a delivery': class extends WrappedTransport {
    readonly #letters: StoredDeadLetter[] = [];
    override async settle(delivery: Delivery, outcome: Outcome): Promise<void> {
      if (outcome.kind === 'dead') {
        const { event, attempt: attempts } = delivery;
        this.#letters.push({ letterId: event.id, group: 'g', reason: outcome.reason, attempts, time: 0, event });
      }
      await super.settle(delivery, outcome);
    }
    override async *deadLetters(channel: string): AsyncIterable<StoredDeadLetter> {
      yield* this.#letters.filter(({ event }) => event.channel === channel);
    }
  },
  'gives what a leaving member held to the others, and ignores what it settles afterwards': class extends WrappedTransport {
    override async leave(): Promise<void> {}
  },
  'keeps a group whose last member left: it resumes where it was': class extends WrappedTransport {
    #joined = 0;
    override subscribe(request: SubscriptionRequest): Promise<TransportSubscription> {
      return super.subscribe({ ...request, group: `${request.group}${this.#joined++}` });
    }
  },
  'shares the events of a group among its members, each to one': class extends WrappedTransport {
    #joined = 0;
    override subscribe(request: SubscriptionRequest): Promise<TransportSubscription> {
      return super.subscribe({ ...request, group: `${request.group}${this.#joined++}` });
    }
  },
  'gives each group all events': class extends WrappedTransport {
    override subscribe(request: SubscriptionRequest): Promise<TransportSubscription> {
      return super.subscribe({ ...request, group: 'the only one' });
    }
  },
  'counts what a group has still to settle: waiting, out, and between attempts': class extends WrappedTransport {
    #out = 0;
    override wrap(delivery: Delivery): Delivery {
      this.#out++;
      return super.wrap(delivery);
    }
    override async lag(channel: string, group: string): Promise<number> {
      return (await super.lag(channel, group)) - this.#out;
    }
  },
  'moves what was given up to the dead letters, with the reason and the group': class extends WrappedTransport {
    override settle(delivery: Delivery, outcome: Outcome): Promise<void> {
      return super.settle(delivery, outcome.kind === 'dead' ? { kind: 'dead', reason: 'failed' } : outcome);
    }
  },
  'gives dead letters back to their group as attempt 1, and says how many there were': class extends WrappedTransport {
    override async requeue(channel: string, letterIds: readonly string[]): Promise<number> {
      await super.requeue(channel, letterIds);
      return letterIds.length;
    }
  },
  'gives attributes back beside the body: to a group, in the log, in a dead letter and once it was given back': class extends WrappedTransport {
    override event({ attributes: _, ...event }: StoredEvent): StoredEvent {
      return event;
    }
  },
  'closes once: waiting pulls end empty, new calls are refused': class extends WrappedTransport {
    override async close(): Promise<void> {}
  },
  'has one event of a key out at a time, in order, while other keys go on': class extends WrappedTransport {
    override subscribe(request: SubscriptionRequest): Promise<TransportSubscription> {
      return super.subscribe({ ...request, ordered: false });
    }
  },
  'keeps the order of a key across failures and returns': class extends WrappedTransport {
    override subscribe(request: SubscriptionRequest): Promise<TransportSubscription> {
      return super.subscribe({ ...request, ordered: false });
    }
  },
  'lets the next of a key pass once the one before is given up': class extends WrappedTransport {
    override async settle(delivery: Delivery, outcome: Outcome): Promise<void> {
      if (outcome.kind !== 'dead') await super.settle(delivery, outcome);
    }
  },
  'does not hold back events without a key': class extends WrappedTransport {
    override publish(
      events: readonly OutgoingEvent[],
      options: { readonly dedupeWindowMs: number },
    ): Promise<readonly Receipt[]> {
      return super.publish(
        events.map((event) => ({ key: '', ...event })),
        options,
      );
    }
  },
  'refuses a member that does not agree with its group about order': class extends WrappedTransport {
    override subscribe(request: SubscriptionRequest): Promise<TransportSubscription> {
      return super.subscribe({ ...request, ordered: true });
    }
  },
  'stores an id once within the dedupe window, for each channel': class extends WrappedTransport {
    override publish(events: readonly OutgoingEvent[]): Promise<readonly Receipt[]> {
      return super.publish(events, { dedupeWindowMs: 0 });
    }
  },
  'takes a single event as it takes a list of one, duplicates included': class extends WrappedTransport {
    async publishOne(event: OutgoingEvent): Promise<Receipt> {
      const [receipt] = await super.publish([event], { dedupeWindowMs: 0 });
      return receipt as Receipt;
    }
  },
  'stores an id again without a dedupe window': class extends WrappedTransport {
    override publish(events: readonly OutgoingEvent[]): Promise<readonly Receipt[]> {
      return super.publish(events, { dedupeWindowMs: 60_000 });
    }
  },
  'subscribes to all channels of a pattern, those made later included': class extends WrappedTransport {
    override subscribe(request: SubscriptionRequest): Promise<TransportSubscription> {
      return super.subscribe({ ...request, channel: request.channel.replace('**', '*') });
    }
  },
  "begins a new group at the end of the log with 'new', at its start with 'start'": class extends WrappedTransport {
    override subscribe(request: SubscriptionRequest): Promise<TransportSubscription> {
      return super.subscribe({ ...request, from: 'start' });
    }
  },
  'begins a new group at an event or a time': class extends WrappedTransport {
    override subscribe(request: SubscriptionRequest): Promise<TransportSubscription> {
      return super.subscribe({ ...request, from: typeof request.from === 'object' ? 'start' : request.from });
    }
  },
  'reads a part of the log, both ends included, whatever the groups did': class extends WrappedTransport {
    override read(channel: string, range: LogRange): AsyncIterable<StoredEvent> {
      const { to } = range;
      return without(super.read(channel, range), (event) => to !== undefined && 'id' in to && event.id === to.id);
    }
  },
  'reads nothing from a channel that does not exist, and refuses ends that do not': class extends WrappedTransport {
    override async *read(channel: string, range: LogRange): AsyncIterable<StoredEvent> {
      try {
        yield* super.read(channel, range);
      } catch {
        // Swallowed: that is what is broken here.
      }
    }
  },
};

async function failuresOf(make: () => EventTransport, only?: string): Promise<string[]> {
  const runner = new CollectingRunner();
  eventTransportContract('any', make, { runner });
  return [...(await runner.failures(only)).keys()];
}

describe('eventTransportContract', () => {
  it('has a broken transport for every case', () => {
    const runner = new CollectingRunner();
    eventTransportContract('any', () => inProcess(), { runner });
    expect(Object.keys(broken)).toEqual(runner.tests.map(({ name }) => name));
  });

  it('passes on a transport that only passes on', async () => {
    expect(await failuresOf(() => new WrappedTransport(inProcess()))).toEqual([]);
  });

  it.concurrent.each(Object.entries(broken))('%s: fails on a transport that does not', async (name, Broken) => {
    expect(await failuresOf(() => new Broken(inProcess()), name)).toEqual([name]);
  });
});

it('the contracts run whole under node:test, where only their own timers keep the process alive', async () => {
  const file = fileURLToPath(new URL('./fixtures/contracts.node-test.ts', import.meta.url));
  const { code, output } = await run(process.execPath, ['--import', 'tsx', '--test-reporter', 'tap', file]);
  expect(output).toMatch(/^# fail 0$/m);
  expect(output).toMatch(/^# cancelled 0$/m);
  expect(code).toBe(0);
});
