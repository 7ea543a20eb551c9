import type { Awaitable, CallOptions } from '../../core/index.js';

/**
 * What became of a refresh token: `rotated` it was the family's latest and the next one took its place;
 * `reused` it was not, and the family has ended with this; `ended` the family had ended, or is not known.
 */
export type Rotation = 'rotated' | 'reused' | 'ended';

/** A refresh token in its family. */
export interface FamilyMember {
  readonly family: string;
  /** Its `jti`. */
  readonly id: string;
  /** When the family is over, in milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

/**
 * Remembers what tokens cannot know themselves: what was revoked, and which refresh token of a family is the
 * latest. A store that loses its content ends all families; it must not lose revocations, so give Redis a
 * persistence and no eviction. {@link MemoryTokenStore} and {@link RedisTokenStore} are two.
 */
export interface TokenStore {
  /** Refuses ids (a `jti` or a family) until then. */
  revoke(id: string, expiresAtMs: number, options?: CallOptions): Awaitable<void>;
  /** True when one of the ids was revoked. */
  isRevoked(ids: readonly string[], options?: CallOptions): Awaitable<boolean>;
  /** Begins a family with its first refresh token. */
  begin(member: FamilyMember, options?: CallOptions): Awaitable<void>;
  /** Puts `nextId` in the place of a refresh token if it is the latest, else revokes the family: as one step. */
  rotate(member: FamilyMember, nextId: string, options?: CallOptions): Awaitable<Rotation>;
}
