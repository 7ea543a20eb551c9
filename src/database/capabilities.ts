/** What an engine can do. What it cannot is refused with `UnsupportedError`, never done differently. */
export interface DatabaseCapabilities {
  /** Transactions run side by side. Without it they take turns, and `db.sql` inside one is refused. */
  readonly concurrentTransactions: boolean;
  /** Abort and timeout stop the statement on the server. Without it the caller is let go and the statement runs on. */
  readonly cancel: boolean;
  /** Limits on statements, locks and idle transactions, kept by the server. */
  readonly timeouts: boolean;
  /** `bulkInsert` by COPY. Without it rows go as JSON in batches. */
  readonly copy: boolean;
  /** `listen`, and notifications from other processes. */
  readonly listen: 'any-process' | 'this-process';
  /** Reads can go to replicas. */
  readonly replicas: boolean;
}
