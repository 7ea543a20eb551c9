import { type CallOptions, type CloseOptions, detach, Lifecycle, QueueFullError } from '../../../core/index.js';
import type { BroadcastReceiver, BroadcastTransport } from '../../broadcast-transport.js';
import { channelMatcher, isPattern } from '../../channel-name.js';
import type {
  EventTransport,
  EventTransportCapabilities,
  LogRange,
  OutgoingEvent,
  Receipt,
  StoredDeadLetter,
  StoredEvent,
  SubscriptionRequest,
  TransportSubscription,
} from '../../event-transport.js';
import { groupInUse, groupOrderDiffers, noSuchGroup } from '../../transport-errors.js';
import { ChannelLog } from './channel-log.js';
import { InProcessBroadcast } from './in-process-broadcast.js';
import { type InProcessOptions, type InProcessSettings, inProcessSettings } from './in-process-options.js';
import { InProcessSubscription } from './in-process-subscription.js';

/** What an {@link InProcessTransport} holds and what it had to give up. */
export interface InProcessStats {
  readonly channels: number;
  readonly events: number;
  /** Bytes of `events`. */
  readonly bytes: number;
  readonly deadLetters: number;
  /** Bytes of the events of `deadLetters`. */
  readonly deadLetterBytes: number;
  /** Events dropped although a group had still to settle them; only with `overflow: 'drop-oldest'`. */
  readonly dropped: number;
  readonly droppedDeadLetters: number;
  /** Ids forgotten before the dedupe window was over. */
  readonly forgottenIds: number;
}

/** A pattern that some group once asked for: channels made later join the group from their start. */
interface PatternGroup {
  readonly group: string;
  readonly matches: (channel: string) => boolean;
  readonly members: Set<InProcessSubscription>;
}

/**
 * Events within one process: nothing to install, nothing that outlives the process. One object can
 * serve any number of streams and buses; those that share it hear each other.
 */
export class InProcessTransport implements EventTransport, BroadcastTransport {
  readonly name: string = 'in-process transport';
  readonly capabilities: EventTransportCapabilities = {
    durable: false,
    groups: true,
    replay: true,
    pattern: true,
    ordered: true,
    dedupe: true,
    attributes: true,
  };
  readonly #settings: InProcessSettings;
  readonly #lifecycle: Lifecycle = new Lifecycle(this.name);
  readonly #logs: Map<string, ChannelLog> = new Map();
  readonly #patterns: Map<string, PatternGroup> = new Map();
  readonly #orderedByGroup: Map<string, boolean> = new Map();
  readonly #subscriptions: Set<InProcessSubscription> = new Set();
  readonly #broadcast: InProcessBroadcast = new InProcessBroadcast();

  /** @throws ConfigurationError */
  constructor(options: InProcessOptions = {}) {
    this.#settings = inProcessSettings(options);
  }

  async publish(
    events: readonly OutgoingEvent[],
    options: CallOptions & { readonly dedupeWindowMs: number },
  ): Promise<readonly Receipt[]> {
    this.#lifecycle.assertOpen();
    return events.map((event) => this.#log(event.channel).append(event, options.dedupeWindowMs));
  }

  async subscribe(request: SubscriptionRequest): Promise<TransportSubscription> {
    this.#lifecycle.assertOpen();
    this.#agreeOnOrder(request);
    const pattern = isPattern(request.channel) ? this.#pattern(request) : undefined;
    const logs = pattern ? this.#matching(pattern.matches) : [this.#log(request.channel)];
    const cursors = logs.map((log) => log.joinGroup(request.group, request.from, request.ordered));
    const subscription = new InProcessSubscription(() => {
      this.#subscriptions.delete(subscription);
      pattern?.members.delete(subscription);
    });
    for (const cursor of cursors) subscription.join(cursor);
    pattern?.members.add(subscription);
    this.#subscriptions.add(subscription);
    return subscription;
  }

  async *read(channel: string, range: LogRange): AsyncGenerator<StoredEvent, void> {
    this.#lifecycle.assertOpen();
    yield* this.#logs.get(channel)?.read(range) ?? [];
  }

  async *deadLetters(channel: string): AsyncGenerator<StoredDeadLetter, void> {
    this.#lifecycle.assertOpen();
    yield* this.#logs.get(channel)?.deadLetters.list() ?? [];
  }

  async requeue(channel: string, letterIds: readonly string[]): Promise<number> {
    this.#lifecycle.assertOpen();
    const log = this.#logs.get(channel);
    return letterIds.filter((letterId) => log?.requeue(letterId)).length;
  }

  async lag(channel: string, group: string): Promise<number> {
    this.#lifecycle.assertOpen();
    const cursor = this.#logs.get(channel)?.group(group);
    if (!cursor) throw noSuchGroup(channel, group);
    return cursor.lag;
  }

  async deleteGroup(channel: string, group: string): Promise<boolean> {
    this.#lifecycle.assertOpen();
    const logs = this.#matching(channelMatcher(channel));
    const members = this.#patterns.get(patternKey(channel, group))?.members.size ?? 0;
    if (members > 0 || logs.some((log) => (log.group(group)?.members ?? 0) > 0)) {
      throw groupInUse(channel, group);
    }
    const hadPattern = this.#patterns.delete(patternKey(channel, group));
    const hadPlace = logs.filter((log) => log.deleteGroup(group)).length > 0;
    if (!this.#exists(group)) this.#orderedByGroup.delete(group);
    return hadPattern || hadPlace;
  }

  async broadcast(channel: string, message: string): Promise<number> {
    this.#lifecycle.assertOpen();
    // Listeners run neither inside the publisher's call nor under its cancellation.
    await Promise.resolve();
    return detach(() => this.#broadcast.send(channel, message));
  }

  async listen(channel: string, receive: BroadcastReceiver): Promise<() => Promise<void>> {
    this.#lifecycle.assertOpen();
    const stop = this.#broadcast.add(channel, receive);
    return async () => stop();
  }

  stats(): InProcessStats {
    const logs = [...this.#logs.values()];
    const sum = (count: (log: ChannelLog) => number): number => logs.reduce((total, log) => total + count(log), 0);
    return {
      channels: logs.length,
      events: sum((log) => log.end - log.first),
      bytes: sum((log) => log.bytes),
      deadLetters: sum((log) => log.deadLetters.size),
      deadLetterBytes: sum((log) => log.deadLetters.bytes),
      dropped: sum((log) => log.dropped),
      droppedDeadLetters: sum((log) => log.deadLetters.dropped),
      forgottenIds: sum((log) => log.forgottenIds),
    };
  }

  close(options: CloseOptions = {}): Promise<void> {
    return this.#lifecycle.close(options, async () => {
      for (const subscription of [...this.#subscriptions]) await subscription.close();
      for (const log of this.#logs.values()) log.close();
      this.#logs.clear();
      this.#patterns.clear();
      this.#broadcast.clear();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #log(channel: string): ChannelLog {
    const known = this.#logs.get(channel);
    if (known) return known;
    if (this.#logs.size >= this.#settings.maxChannels) {
      throw new QueueFullError(`The ${this.name}`, `${this.#settings.maxChannels} channels`);
    }
    const log = new ChannelLog(channel, this.#settings);
    this.#logs.set(channel, log);
    for (const { group, matches, members } of this.#patterns.values()) {
      if (!matches(channel)) continue;
      const cursor = log.joinGroup(group, 'start', this.#orderedByGroup.get(group) ?? false);
      for (const member of members) member.join(cursor);
    }
    return log;
  }

  #matching(matches: PatternGroup['matches']): ChannelLog[] {
    return [...this.#logs].filter(([channel]) => matches(channel)).map(([, log]) => log);
  }

  #pattern({ channel, group }: SubscriptionRequest): PatternGroup {
    const key = patternKey(channel, group);
    const known = this.#patterns.get(key);
    if (known) return known;
    const pattern: PatternGroup = { group, matches: channelMatcher(channel), members: new Set() };
    this.#patterns.set(key, pattern);
    return pattern;
  }

  #exists(name: string): boolean {
    const patterns = [...this.#patterns.values()];
    return patterns.some(({ group }) => group === name) || [...this.#logs.values()].some((log) => log.group(name));
  }

  /** On all channels of a group. */
  #agreeOnOrder({ group, ordered }: SubscriptionRequest): void {
    const known = this.#orderedByGroup.get(group) ?? ordered;
    if (known !== ordered) throw groupOrderDiffers(group, known);
    this.#orderedByGroup.set(group, ordered);
  }
}

function patternKey(pattern: string, group: string): string {
  return `${group}\n${pattern}`;
}

/**
 * A transport within this process. Give it to several streams or buses to connect them; it stays
 * open until you close it.
 *
 * @throws ConfigurationError
 * @example
 * const local = inProcess();
 * const orders = new EventStream({ transport: local });
 * const billing = new EventStream({ transport: local });
 */
export function inProcess(options: InProcessOptions = {}): InProcessTransport {
  return new InProcessTransport(options);
}
