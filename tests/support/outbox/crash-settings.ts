/** What the programs of the crash test are told, as JSON in their first argument. */
export interface CrashSettings {
  readonly postgres: string;
  readonly redis: string;
  /** In front of the names of Redis keys. */
  readonly prefix: string;
  /** What writers tell PostgreSQL, so that the connections of one that was killed can be waited for. */
  readonly writerName: string;
  /** How many transactions all writers together begin. */
  readonly transactions: number;
}

export const channel = 'order.placed';

/** Every seventh transaction is rolled back after it has written its row and its event. */
export const rollsBack = (n: number): boolean => n % 7 === 0;

export function crashSettings(): CrashSettings {
  return JSON.parse(process.argv[2] ?? '') as CrashSettings;
}
