import { type CallOptions, NotFoundError } from '../../core/index.js';
import type { DatabaseRow, RowId } from '../database-engine.js';
import { compileText } from '../sql/compile.js';
import { quoteIdentifier } from '../sql/identifier.js';
import { columnsOf, jsonRows, type RowValues } from '../sql/json-row.js';
import { type TableName, tableText } from '../sql/table-name.js';
import type { RunStatement } from './sql-tag.js';

/**
 * Rows by their column `id`. Values are read by the types of the table's columns: an array is json in a
 * jsonb column and an array in an array column, a Date fits every date and time.
 */
export class RowsById {
  readonly #run: RunStatement;

  constructor(run: RunStatement) {
    this.#run = run;
  }

  async create(table: TableName, row: RowValues, options: CallOptions): Promise<DatabaseRow> {
    const name = tableText(table);
    const columns = columnsOf(row, 'row').map(quoteIdentifier).join(', ');
    const text = `insert into ${name} (${columns}) select ${columns} from json_populate_recordset(null::${name}, $1::json) returning *`;
    return await this.#one(text, [jsonRows([row])], options, `a row of ${name}`);
  }

  async findById(table: TableName, id: RowId, options: CallOptions): Promise<DatabaseRow | null> {
    const text = `select * from ${tableText(table)} where "id" = $1`;
    const { rows } = await this.#run(compileText(text, [id]), options);
    return rows[0] ?? null;
  }

  async update(table: TableName, id: RowId, patch: RowValues, options: CallOptions): Promise<DatabaseRow> {
    const name = tableText(table);
    const columns = columnsOf(patch, 'patch').map(quoteIdentifier);
    const text = `update ${name} set (${columns.join(', ')}) = (select ${columns.map((column) => `given.${column}`).join(', ')}
      from json_populate_recordset(null::${name}, $2::json) given) where "id" = $1 returning *`;
    return await this.#one(text, [id, jsonRows([patch])], options, `the row to update in ${name}`);
  }

  async delete(table: TableName, id: RowId, options: CallOptions): Promise<boolean> {
    const text = `delete from ${tableText(table)} where "id" = $1`;
    const { rowCount } = await this.#run(compileText(text, [id]), options);
    return (rowCount ?? 0) > 0;
  }

  async #one(text: string, values: readonly unknown[], options: CallOptions, what: string): Promise<DatabaseRow> {
    const { rows } = await this.#run(compileText(text, values), options);
    if (rows[0]) return rows[0];
    throw new NotFoundError(`${what} does not exist`);
  }
}
