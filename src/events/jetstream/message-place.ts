import { ProtocolError } from '../../core/index.js';

/** What the reply subject of a delivered message says about it. */
export interface MessagePlace {
  /** In its stream. */
  readonly sequence: number;
  /** How often it was delivered, this time included. */
  readonly delivered: number;
  /** When the stream took it, in milliseconds since the epoch. */
  readonly time: number;
  /** Messages behind it that the consumer has still to get. */
  readonly pending: number;
}

/**
 * Reads `$JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time ns>.<pending>`, or the
 * longer form with domain and account before the stream (NATS ADR-15).
 *
 * @throws ProtocolError
 */
export function messagePlace(reply: string | undefined): MessagePlace {
  const tokens = reply?.split('.') ?? [];
  const at = tokens.length === 9 ? 4 : 6;
  const [delivered, sequence, , nanoseconds, pending] = tokens.slice(at).map(Number);
  if (tokens[1] !== 'ACK' || !delivered || !sequence || !nanoseconds || pending === undefined) {
    throw new ProtocolError('A message that NATS delivered does not say where it stands in its stream');
  }
  return { delivered, sequence, time: Math.floor(nanoseconds / 1e6), pending };
}
