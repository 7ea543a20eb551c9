import { performance } from 'node:perf_hooks';
import { CallScope, type CloseOptions } from '../../../core/index.js';
import { isPassing, redisFailure } from '../../../drivers/redis/index.js';
import type { Delivery, TransportSubscription } from '../../event-transport.js';
import type { GroupMember } from './group-member.js';

/** What a {@link RedisSubscription} is made of. */
export interface RedisSubscriptionParts {
  /** What is consumed, as it reads in errors. */
  readonly name: string;
  readonly pollMs: number;
  readonly timeoutMs: number;
  readonly beatMs: number;
  /** Looks for channels that were made later. */
  readonly discover: (() => Promise<void>) | undefined;
  readonly onClose: () => void;
}

const firstPauseMs = 25;
const longestPauseMs = 200;
const defaultCloseMs = 1_000;
/** After a disturbance it may take a while until wakes arrive again: until then it looks more often. */
const unsureMs = 10_000;
const unsurePollMs = 50;

/** A member of a group on all partitions of one channel, or of all channels of a pattern. */
export class RedisSubscription implements TransportSubscription {
  readonly #parts: RedisSubscriptionParts;
  /** In turn: the one that was asked first goes to the end, so that a busy one starves no other. */
  #members: GroupMember[] = [];
  readonly #stops: (() => Promise<void>)[] = [];
  /** Taken and not yet asked for. */
  #ready: Delivery[] = [];
  #wanted = 0;
  #filling: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #polledAt: number = Number.NEGATIVE_INFINITY;
  #disturbed = false;
  #unsureUntil: number = Number.NEGATIVE_INFINITY;
  readonly #beat: NodeJS.Timeout;
  #closing: Promise<void> | undefined;

  constructor(parts: RedisSubscriptionParts) {
    this.#parts = parts;
    this.#beat = setInterval(() => this.#beatAll(), parts.beatMs);
    this.#beat.unref();
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** Adds a partition. `stop` ends what wakes it. */
  join(member: GroupMember, stop: () => Promise<void>): void {
    this.#members.push(member);
    this.#stops.push(stop);
    this.wake();
  }

  /** Something may be there to take. */
  wake(): void {
    this.#wake?.();
  }

  /** A connection was lost: what was on its way may be lost too. */
  disturb(): void {
    this.#disturbed = true;
    this.#unsureUntil = performance.now() + unsureMs;
    this.wake();
  }

  async pull(max: number, signal: AbortSignal): Promise<readonly Delivery[]> {
    this.#wanted = max;
    while (!this.closed && !signal.aborted) {
      if (this.#ready.length > 0) return this.#ready.splice(0, max);
      // Goes on when the caller aborts: an answer that is on its way is not lost.
      this.#filling ??= this.#fill().finally(() => {
        this.#filling = undefined;
      });
      await unlessAborted(this.#filling, signal);
    }
    return [];
  }

  close({ timeoutMs = defaultCloseMs }: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    clearInterval(this.#beat);
    this.#ready = [];
    this.wake();
    const leaving = [...this.#members.map((member) => member.leave()), ...this.#stops.map((stop) => stop())];
    // Without an answer the others find out that this member is silent.
    using scope = new CallScope('leave', { timeoutMs: Math.max(1, timeoutMs / 2) });
    await scope.run(() => Promise.allSettled(leaving)).catch(() => undefined);
    for (const member of this.#members) member.end();
    this.#parts.onClose();
  }

  /** Takes until there is something, for as long as that needs. */
  async #fill(): Promise<void> {
    let failingSince: number | undefined;
    let pauseMs = firstPauseMs;
    while (!this.closed && this.#ready.length === 0) {
      try {
        await this.#poll();
        await this.#takeFromAll();
        failingSince = undefined;
        pauseMs = firstPauseMs;
      } catch (error) {
        failingSince ??= performance.now();
        const long = performance.now() - failingSince > this.#parts.timeoutMs;
        if (long || !isPassing(error)) throw redisFailure(this.#parts.name, error);
        this.disturb();
        await this.#sleep(pauseMs * (0.5 + Math.random() / 2));
        pauseMs = Math.min(pauseMs * 2, longestPauseMs);
        continue;
      }
      if (this.#ready.length === 0 && !this.#members.some(({ dirty }) => dirty)) await this.#sleep(this.#untilNext());
    }
  }

  async #poll(): Promise<void> {
    if (this.#disturbed) {
      this.#disturbed = false;
      await Promise.all(this.#members.map((member) => member.beat()));
      for (const member of this.#members) member.dirty = true;
    }
    if (performance.now() < this.#nextPoll) return;
    await this.#parts.discover?.();
    for (const member of this.#members) member.dirty = true;
    this.#polledAt = performance.now();
  }

  async #takeFromAll(): Promise<void> {
    const [first, ...others] = this.#members;
    if (first && others.length > 0) this.#members = [...others, first];
    const now = performance.now();
    for (const member of this.#members) {
      const room = this.#wanted - this.#ready.length;
      if (room <= 0 || this.closed) return;
      if (!member.dirty && member.dueAt > now) continue;
      this.#ready.push(...(await member.take(room)));
    }
  }

  get #nextPoll(): number {
    const { pollMs } = this.#parts;
    return this.#polledAt + (this.#polledAt < this.#unsureUntil ? Math.min(pollMs, unsurePollMs) : pollMs);
  }

  #untilNext(): number {
    const now = performance.now();
    const due = Math.min(...this.#members.map(({ dueAt }) => dueAt), this.#nextPoll);
    return Math.max(1, due - now);
  }

  #sleep(ms: number): Promise<void> {
    if (this.closed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resume, ms);
      timer.unref();
      const self = this;
      function resume(): void {
        clearTimeout(timer);
        self.#wake = undefined;
        resolve();
      }
      this.#wake = resume;
    });
  }

  #beatAll(): void {
    // What fails now is tried again with the next beat.
    for (const member of this.#members) void member.beat().catch(() => undefined);
  }
}

/** Settles with `work`, or resolves when the signal aborts. */
function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => resolve();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
