/** `up` is from the client to the target, `down` back. */
export type Direction = 'up' | 'down' | 'both';

/** What one direction of a proxy does to what passes. */
export interface Conditions {
  frozen: boolean;
  delayMs: number;
  /** `Infinity` for no limit. */
  bytesPerSecond: number;
}
