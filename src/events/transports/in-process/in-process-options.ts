import { type Clock, systemClock } from '../../../core/index.js';
import { checkOptions, is } from '../../../core/internal.js';

/** Bounds of an in-process transport. */
export interface InProcessOptions {
  /** Channels that may exist; another one is refused with QueueFullError. @default 10000 */
  readonly maxChannels?: number;
  /** Events kept per channel. @default 100000 */
  readonly maxItems?: number;
  /** Bytes of encoded events kept per channel; its dead letters may take as much again. @default 67108864 (64 MiB) */
  readonly maxBytes?: number;
  /**
   * A full channel gives up its oldest event. When some group has still to settle that one, `'reject'`
   * refuses the new event with QueueFullError; `'drop-oldest'` drops the old one for that group and
   * counts it in `stats().dropped`. @default 'reject'
   */
  readonly overflow?: 'reject' | 'drop-oldest';
  /** Dead letters kept per channel, of at most `maxBytes` together; the oldest are dropped and counted. @default 10000 */
  readonly maxDeadLetters?: number;
  /** Ids remembered per channel for dedupe; the oldest are forgotten early and counted. @default 100000 */
  readonly maxIds?: number;
  /** @default the machine's clock */
  readonly clock?: Clock;
}

export type InProcessSettings = Required<InProcessOptions>;

/** @throws ConfigurationError */
export function inProcessSettings(options: InProcessOptions): InProcessSettings {
  checkOptions<InProcessOptions>('inProcess', options, {
    maxChannels: is.count,
    maxItems: is.count,
    maxBytes: is.count,
    overflow: is.oneOf('reject', 'drop-oldest'),
    maxDeadLetters: is.count,
    maxIds: is.count,
    clock: is.object,
  });
  return {
    maxChannels: options.maxChannels ?? 10_000,
    maxItems: options.maxItems ?? 100_000,
    maxBytes: options.maxBytes ?? 67_108_864,
    overflow: options.overflow ?? 'reject',
    maxDeadLetters: options.maxDeadLetters ?? 10_000,
    maxIds: options.maxIds ?? 100_000,
    clock: options.clock ?? systemClock,
  };
}
