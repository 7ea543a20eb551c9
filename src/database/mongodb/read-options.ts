import type { CallOptions } from '../../core/index.js';
import { checkOptions, is } from '../../core/internal.js';
import { checkFieldPath, refuse } from './names.js';

/** Settings of `find`. */
export interface MongoFindOptions extends CallOptions {
  /** Fields and directions, the first field first. @default the order in which the server finds them */
  readonly sort?: Readonly<Record<string, 1 | -1>> | readonly (readonly [string, 1 | -1])[];
  /** Most documents. Without it `find` rejects when more than `maxDocuments` match. */
  readonly limit?: number;
  /** @default 0 */
  readonly skip?: number;
  /** The fields to give, besides `_id`; or fields with true to give them alone, or with false to leave them out. @default all */
  readonly projection?: readonly string[] | Readonly<Record<string, boolean | 0 | 1>>;
  /** Documents that the server sends at a time. @default 1000 */
  readonly batchSize?: number;
  /** The name or keys of the index to use. @default the server chooses */
  readonly hint?: string | Readonly<Record<string, 1 | -1>>;
}

/** @throws ConfigurationError ValidationError */
export function driverFindOptions(options: MongoFindOptions, owner: string): Record<string, unknown> {
  checkOptions<MongoFindOptions>(owner, options, {
    sort: is.object,
    limit: is.count,
    skip: is.countOrZero,
    projection: is.object,
    batchSize: is.count,
    hint: is.anything,
    signal: is.anything,
    timeoutMs: is.anything,
  });
  const { sort, skip, projection, batchSize = 1_000, hint } = options;
  return {
    batchSize,
    ...(sort === undefined ? {} : { sort: driverSort(sort) }),
    ...(skip === undefined ? {} : { skip }),
    ...(projection === undefined ? {} : { projection: driverProjection(projection) }),
    ...(hint === undefined ? {} : { hint }),
  };
}

/** As a Map, which keeps the order of every name. */
export function driverSort(sort: NonNullable<MongoFindOptions['sort']>): Map<string, 1 | -1> {
  const pairs = Array.isArray(sort) ? (sort as readonly (readonly [string, 1 | -1])[]) : Object.entries(sort);
  const out = new Map<string, 1 | -1>();
  for (const [name, direction] of pairs) {
    checkFieldPath(name, 'sort');
    if (direction !== 1 && direction !== -1) refuse('sort', [name], 'must be 1 or -1');
    out.set(name, direction);
  }
  return out;
}

function driverProjection(projection: NonNullable<MongoFindOptions['projection']>): Record<string, 0 | 1> {
  const listed = Array.isArray(projection)
    ? (projection as readonly string[]).map((name) => [name, true] as const)
    : undefined;
  const out = Object.create(null) as Record<string, 0 | 1>;
  for (const [name, given] of listed ?? Object.entries(projection)) {
    checkFieldPath(name, 'projection');
    if (given !== true && given !== false && given !== 1 && given !== 0) {
      refuse('projection', [name], 'must be true or false');
    }
    out[name] = given ? 1 : 0;
  }
  return out;
}
