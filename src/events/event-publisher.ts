import {
  type Awaitable,
  type CallOptions,
  type CallScope,
  type Lifecycle,
  ProtocolError,
  spanKind,
  type Telemetry,
  validate,
} from '../core/index.js';
import { correlationIdHere } from '../core/internal.js';
import type { EventStreamSettings } from './event-stream-options.js';
import type { EventTransport, OutgoingEvent, Receipt } from './event-transport.js';
import {
  type EncodedDraft,
  encodeDraft,
  type GivenDraft,
  type TraceHeaders,
  toBinary,
  toOutgoing,
} from './outgoing.js';

/** What an {@link EventPublisher} is made of. */
export interface EventPublisherParts {
  readonly settings: EventStreamSettings;
  readonly lifecycle: Lifecycle;
  readonly telemetry: Telemetry;
}

type Prepared = EncodedDraft | OutgoingEvent;

/** The half of an {@link EventStream} that checks events, puts them into envelopes and hands them to the transport. */
export class EventPublisher {
  readonly #settings: EventStreamSettings;
  readonly #transport: EventTransport;
  readonly #parts: EventPublisherParts;

  constructor(parts: EventPublisherParts) {
    this.#parts = parts;
    this.#settings = parts.settings;
    this.#transport = parts.settings.transport;
  }

  /** Where nothing stands around the call it costs one promise. */
  publish(draft: GivenDraft, options: CallOptions): Promise<Receipt> {
    try {
      if (!this.#isPlain(options)) return this.publishMany([draft], options).then((all) => this.#only(all, draft));
      this.#parts.lifecycle.assertOpen();
      const event = this.#enveloped(encodeDraft(draft), {});
      if (this.#transport.publishOne) return this.#transport.publishOne(event, this.#settings);
      return this.#transport.publish([event], this.#settings).then((all) => this.#only(all, draft));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async publishMany(events: readonly GivenDraft[], options: CallOptions): Promise<readonly Receipt[]> {
    if (!this.#isPlain(options)) return this.#send(events, options, () => this.#check(events));
    this.#parts.lifecycle.assertOpen();
    const outgoing = events.map((event) => this.#enveloped(encodeDraft(event), {}));
    return this.#transport.publish(outgoing, this.#settings);
  }

  /** In the structured mode: who keeps them need not know of attributes. */
  prepare(events: readonly GivenDraft[], options: CallOptions): Promise<readonly OutgoingEvent[]> {
    return this.#parts.lifecycle.call('prepare events', options, async () => {
      const drafts = await this.#check(events);
      const trace = await this.#parts.telemetry.propagation();
      return drafts.map((draft) => toOutgoing(draft, this.#settings, trace));
    });
  }

  publishPrepared(events: readonly OutgoingEvent[], options: CallOptions): Promise<readonly Receipt[]> {
    return this.#send(events, options, () => events);
  }

  /**
   * True for a call with no schema, no span, and no signal or time of its own or around it: the transport
   * alone decides when it ends, and what stands around other calls would cost more than the publishing.
   */
  #isPlain({ signal, timeoutMs }: CallOptions): boolean {
    const bounded = signal !== undefined || timeoutMs !== undefined || correlationIdHere() !== undefined;
    return !bounded && this.#settings.schemas.size === 0 && !this.#parts.telemetry.tracing;
  }

  #only([receipt]: readonly Receipt[], { channel }: GivenDraft): Receipt {
    if (!receipt) throw new ProtocolError(`${this.#transport.name} gave no receipt for an event on '${channel}'`);
    return receipt;
  }

  /** Encodes before anything is awaited: the caller may change the data as soon as the call returns. */
  #check(events: readonly GivenDraft[]): Awaitable<readonly EncodedDraft[]> {
    const drafts = events.map(encodeDraft);
    return this.#settings.schemas.size === 0 ? drafts : this.#assertMatch(events).then(() => drafts);
  }

  /** What is sent is the schema's input: its output may hold what JSON cannot carry, such as dates. */
  async #assertMatch(events: readonly GivenDraft[]): Promise<void> {
    await Promise.all(
      events.map(({ channel, data }) => {
        const schema = this.#settings.schemas.get(channel);
        return schema && validate(schema, data, `Event on '${channel}'`);
      }),
    );
  }

  /** Sends, where somebody looks under a span of its own, which events without an envelope carry as their parent. */
  #send(
    events: readonly (GivenDraft | OutgoingEvent)[],
    options: CallOptions,
    check: () => Awaitable<readonly Prepared[]>,
  ): Promise<readonly Receipt[]> {
    const first = events[0]?.channel;
    const channel = events.every((event) => event.channel === first) ? first : undefined;
    const name = `send ${channel ?? 'events'}`;
    const subject = channel === undefined ? 'publish to several channels' : `publish to '${channel}'`;
    return this.#parts.lifecycle.call(subject, options, (scope) => {
      const checked = check();
      if ('then' in checked || this.#parts.telemetry.tracing) return this.#sendTraced(name, channel, checked, scope);
      const outgoing = checked.map((event) => this.#enveloped(event, {}));
      return this.#hand(outgoing, scope);
    });
  }

  async #sendTraced(
    name: string,
    channel: string | undefined,
    checking: Awaitable<readonly Prepared[]>,
    scope: CallScope,
  ): Promise<readonly Receipt[]> {
    const checked = await checking;
    const attributes = {
      'messaging.operation.type': 'send',
      'messaging.batch.message_count': checked.length,
      ...(channel === undefined ? {} : { 'messaging.destination.name': channel }),
    };
    const { telemetry } = this.#parts;
    return telemetry.span({ name, kind: spanKind.producer, attributes }, async () => {
      const trace = await telemetry.propagation();
      scope.throwIfCancelled();
      const outgoing = checked.map((event) => this.#enveloped(event, trace));
      return this.#hand(outgoing, scope);
    });
  }

  /** Its signal is made only when the transport asks for it. */
  #hand(events: readonly OutgoingEvent[], scope: CallScope): Promise<readonly Receipt[]> {
    return this.#transport.publish(events, {
      dedupeWindowMs: this.#settings.dedupeWindowMs,
      get signal() {
        return scope.signal;
      },
    });
  }

  #enveloped(event: Prepared, trace: TraceHeaders): OutgoingEvent {
    if ('body' in event) return event;
    const put = this.#transport.capabilities.attributes ? toBinary : toOutgoing;
    return put(event, this.#settings, trace);
  }
}
