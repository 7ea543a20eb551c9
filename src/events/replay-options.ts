import type { CallOptions, StandardSchemaV1 } from '../core/index.js';
import { checkOptions, is } from '../core/internal.js';
import { type LogPosition, positionCheck, schemaCheck, toPosition } from './consume-options.js';
import type { LogRange } from './event-transport.js';

/** Which part of a channel's log is read again. Both ends belong to it. */
export interface ReplayOptions<S extends StandardSchemaV1 = StandardSchemaV1> extends CallOptions {
  /** @default 'start', the oldest event that is kept */
  readonly from?: 'start' | LogPosition;
  /** With a time: everything the log took until then. @default the newest event when reading begins */
  readonly to?: LogPosition;
  /** What `data` must be; the iteration ends with ValidationError where it is not. @default the stream's schema of the channel */
  readonly schema?: S;
}

/** @throws ConfigurationError */
export function replayRange(options: ReplayOptions): LogRange {
  checkOptions<ReplayOptions>('replay', options, {
    from: is.either("'start', { id } or { time }", is.oneOf('start'), positionCheck),
    to: is.either('{ id } or { time }', positionCheck),
    schema: schemaCheck,
    signal: is.object,
    timeoutMs: is.milliseconds,
  });
  const { from = 'start', to } = options;
  const start = from === 'start' ? from : toPosition(from);
  return to === undefined ? { from: start } : { from: start, to: toPosition(to) };
}
