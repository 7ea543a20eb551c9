import type { MetadataFilter } from '../local/filter/metadata-filter.js';
import { defaultNamespace, type SelectOptions } from '../local/local-memory-options.js';
import type { Metric } from '../local/metric.js';
import { filterSQL, Parameters } from './filter-sql.js';
import { operators } from './pgvector.js';
import { rowColumns } from './vector-row.js';

/** A text with `$1`, `$2`, ... and its values. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Which items: a namespace, and a filter that was checked. */
type Selection = Pick<SelectOptions, 'namespace' | 'filter'>;

const alive = '(expires_at is null or expires_at > clock_timestamp())';

/** The statements of a memory over its table. What has expired is never seen. */
export class VectorStatements {
  readonly #table: string;
  readonly #operator: string;

  /** @param table quoted */
  constructor(table: string, metric: Metric) {
    this.#table = table;
    this.#operator = operators[metric].operator;
  }

  retrieve(id: string, namespace: string = defaultNamespace): Statement {
    const text = `select ${rowColumns} from ${this.#table} where namespace = $1 and id = $2 and ${alive}`;
    return { text, values: [namespace, id] };
  }

  /** Gives `was_there` of the row, if any. */
  delete(id: string, namespace: string = defaultNamespace): Statement {
    const text = `delete from ${this.#table} where namespace = $1 and id = $2 returning ${alive} as was_there`;
    return { text, values: [namespace, id] };
  }

  /** Gives the `count` of those that match; expired ones go too, uncounted. */
  deleteWhere(filter: MetadataFilter, namespace: string = defaultNamespace): Statement {
    const parameters = new Parameters();
    const within = `namespace = ${parameters.add(namespace)}`;
    const matches = filterSQL(filter, 'metadata', parameters);
    const text = `with gone as (delete from ${this.#table} where ${within} and (not ${alive} or ${matches}) returning ${alive} as was_there)
        select count(*) filter (where was_there)::int4 as count from gone`;
    return { text, values: parameters.values };
  }

  /** Gives the `count`. */
  count(selection: Selection): Statement {
    const parameters = new Parameters();
    const text = `select count(*)::float8 as count from ${this.#table} where ${where(selection, parameters)}`;
    return { text, values: parameters.values };
  }

  /** Gives the `count`, or `most` where there are more. */
  countUpTo(most: number, selection: Selection): Statement {
    const parameters = new Parameters();
    const matches = where(selection, parameters);
    const limit = parameters.add(most);
    const text = `select count(*)::int4 as count from (select 1 from ${this.#table} where ${matches} limit ${limit}::int8) as found`;
    return { text, values: parameters.values };
  }

  /**
   * Inserts rows, or puts them in place of those of the same ids.
   *
   * @param rows a JSON array of `VectorRow`
   */
  store(rows: string, namespace: string = defaultNamespace, ttlMs: number = Number.POSITIVE_INFINITY): Statement {
    const text = `insert into ${this.#table} (namespace, id, embedding, metadata, content, importance, expires_at)
      select $1, r.id, r.vector::vector, nullif(r.metadata, 'null'::jsonb), r.content, r.importance,
        clock_timestamp() + $2::float8 * interval '1 millisecond'
      from jsonb_to_recordset($3::jsonb) as r(id text, vector text, metadata jsonb, content text, importance real)
      on conflict (namespace, id) do update set embedding = excluded.embedding, metadata = excluded.metadata,
        content = excluded.content, importance = excluded.importance, stored_at = excluded.stored_at,
        expires_at = excluded.expires_at`;
    return { text, values: [namespace, ttlMs === Number.POSITIVE_INFINITY ? null : ttlMs, rows] };
  }

  /**
   * The rows nearest to a vector, of all that match: no index of vectors can be used.
   *
   * @param vector as pgvector reads it
   */
  nearestOfAll(vector: string, limit: number, selection: Selection): Statement {
    const { matches, distance, most, values } = this.#nearest(vector, limit, selection);
    const text = `with candidates as materialized (select * from ${this.#table} where ${matches})
      select ${rowColumns} from candidates order by ${distance}, id limit ${most}::int8`;
    return { text, values };
  }

  /** The rows nearest to a vector, in the order that the index over the vectors has. */
  nearestByIndex(vector: string, limit: number, selection: Selection): Statement {
    const { matches, distance, most, values } = this.#nearest(vector, limit, selection);
    const text = `select ${rowColumns} from ${this.#table} where ${matches} order by ${distance} limit ${most}::int8`;
    return { text, values };
  }

  #nearest(
    vector: string,
    limit: number,
    selection: Selection,
  ): Record<'matches' | 'distance' | 'most', string> & Pick<Statement, 'values'> {
    const parameters = new Parameters();
    const matches = where(selection, parameters);
    const distance = `embedding ${this.#operator} ${parameters.add(vector)}::vector`;
    const most = parameters.add(limit === Number.POSITIVE_INFINITY ? null : limit);
    return { matches, distance, most, values: parameters.values };
  }
}

function where({ namespace = defaultNamespace, filter }: Selection, parameters: Parameters): string {
  const within = `namespace = ${parameters.add(namespace)} and ${alive}`;
  return filter === undefined ? within : `${within} and ${filterSQL(filter, 'metadata', parameters)}`;
}
