import type { Closeable } from '../core/index.js';

/** Gets each message of a channel, in the order it was sent. Must not throw. */
export type BroadcastReceiver = (message: string) => void;

/** A time in which messages may have been missed. */
export interface BroadcastGap {
  readonly from: Date;
  /** When listening worked again. */
  readonly to: Date;
}

/**
 * What an {@link EventBusIntegration} stands on: at-most-once broadcast of texts. A message goes to
 * those who listen at that moment and is kept for nobody.
 */
export interface BroadcastTransport extends Closeable {
  /** What it is, as it reads in errors: `in-process transport`. */
  readonly name: string;

  /**
   * Sends `message` to everybody who listens on `channel`.
   *
   * @returns how many listeners got it, 0 when it reached nobody
   * @throws ClosedError after `close`
   */
  broadcast(channel: string, message: string): Promise<number>;

  /**
   * Starts to listen. Resolves once every later message will arrive, with a function that ends it.
   *
   * @throws ClosedError after `close`
   */
  listen(channel: string, receive: BroadcastReceiver): Promise<() => Promise<void>>;

  /**
   * Calls `listener` once listening works again after an interruption. Left out where there are none.
   * The returned function takes it back.
   */
  onGap?(listener: (gap: BroadcastGap) => void): () => void;
}
