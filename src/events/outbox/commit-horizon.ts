/** What one look at the table says about transactions. */
export interface HorizonSample {
  /** The highest number drawn. */
  readonly drawn: bigint;
  /** The id of this transaction, assigned after `drawn` was read. */
  readonly own: bigint;
  /** Every transaction below is over: `pg_snapshot_xmin`, of a snapshot taken after `own` was assigned. */
  readonly xmin: bigint;
}

interface Candidate {
  readonly drawn: bigint;
  /** Once every transaction below is over, no number up to `drawn` can appear any more. */
  readonly end: bigint;
  readonly since: number;
}

/**
 * Up to which number every event is either visible or will never be.
 *
 * PostgreSQL hands out sequence numbers when a row is written and shows the row when its transaction
 * commits, so numbers appear out of order: 8 can be visible while 7 is still open. A transaction gets its
 * id before it draws a number (see {@link outboxTable}), so whoever drew one up to `drawn` has an id below
 * one that is assigned afterwards; when `xmin` reaches that one, all of them are over. The `xmax` of a
 * snapshot would not do: it is the latest *finished* transaction plus one, and open ones may be above it.
 */
export class CommitHorizon {
  readonly #maxHoldMs: number;
  #reached = 0n;
  #candidate: Candidate | undefined;

  /** @param maxHoldMs How long an open transaction may hold events back, in milliseconds. */
  constructor(maxHoldMs: number) {
    this.#maxHoldMs = maxHoldMs;
  }

  /** Takes a sample at a time, in milliseconds of a clock that never jumps; returns the number up to which events may be published. */
  advance({ drawn, own, xmin }: HorizonSample, now: number): bigint {
    if (xmin >= own) {
      this.#reached = drawn;
      this.#candidate = undefined;
      return drawn;
    }
    const held = this.#candidate;
    if (held && (xmin >= held.end || now - held.since >= this.#maxHoldMs)) {
      this.#reached = held.drawn;
      this.#candidate = undefined;
    }
    this.#candidate ??= { drawn, end: own, since: now };
    return this.#reached;
  }
}
