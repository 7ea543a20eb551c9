import type { CallOptions, CallScope } from '../../core/index.js';
import { checkOptions, is } from '../../core/internal.js';
import { openCursor, type TypeParsers } from '../../drivers/postgres/index.js';
import type { Statement } from '../sql/statement.js';
import { statementFailure } from './failure.js';
import type { Session } from './session.js';
import type { SqlRow } from './sql-tag.js';

/** Limits of one {@link PostgresDatabase.read}. */
export interface ReadOptions extends CallOptions {
  /** @default 1000 */
  readonly maxRows?: number;
  /** Of all values as the server writes them; looked at after each batch, which begins with one row. @default 1048576 */
  readonly maxBytes?: number;
  /** Longest time of the statement on the server, in milliseconds. @default 10000 */
  readonly statementTimeoutMs?: number;
  /** Reads from a replica, or from the primary when none answers. @default false */
  readonly replica?: boolean;
}

/** Rows within limits. */
export interface LimitedRows<Row = SqlRow> {
  readonly rows: readonly Row[];
  /** What cut the rows off; undefined when these are all. */
  readonly truncated: 'rows' | 'bytes' | undefined;
  /** Bytes of all values as the server wrote them. */
  readonly bytes: number;
}

/** @throws ConfigurationError */
export function checkReadOptions(options: ReadOptions): void {
  checkOptions('read', options, {
    maxRows: is.count,
    maxBytes: is.count,
    statementTimeoutMs: is.milliseconds,
    replica: is.flag,
    signal: is.anything,
    timeoutMs: is.anything,
  });
}

const largestBatch = 256;

/** Fetches rows in batches that grow, until one of the limits. The session is in a read-only transaction. */
export async function readLimited(
  session: Session,
  scope: CallScope,
  statement: Statement,
  { maxRows = 1_000, maxBytes = 1_048_576 }: ReadOptions,
): Promise<LimitedRows> {
  const counter = countBytes(session.types);
  const { shape, values } = statement;
  const query = { text: shape.text, values, types: counter, queryMode: 'extended' as const };
  const cursor = await openCursor(session.client, query);
  const rows: SqlRow[] = [];
  const kept = { rows: 0, bytes: 0 };
  let over = false;
  try {
    for (let batch = 1; ; batch = Math.min(batch * 2, largestBatch)) {
      // One more than allowed tells whether there was more.
      const wanted = Math.min(batch, maxRows + 1 - rows.length);
      const more = await session.supervise(scope, () => cursor.read(wanted));
      rows.push(...more);
      over = more.length < wanted;
      if (counter.bytes > maxBytes) return { rows: rows.slice(0, kept.rows), truncated: 'bytes', bytes: kept.bytes };
      if (rows.length > maxRows) return { rows: rows.slice(0, maxRows), truncated: 'rows', bytes: counter.bytes };
      if (over) return { rows, truncated: undefined, bytes: counter.bytes };
      kept.rows = rows.length;
      kept.bytes = counter.bytes;
    }
  } catch (error) {
    over = true;
    if (scope.cancelled) throw scope.reason;
    throw statementFailure(error, shape);
  } finally {
    if (!over) await cursor.close();
  }
}

/** Parsers that also count what they are given. */
function countBytes(types: TypeParsers): TypeParsers & { bytes: number } {
  const counter = {
    bytes: 0,
    getTypeParser(oid: number, format?: string): (text: string) => unknown {
      const parse = types.getTypeParser(oid, format);
      return (text) => {
        counter.bytes += Buffer.byteLength(text);
        return parse(text);
      };
    },
  };
  return counter;
}
