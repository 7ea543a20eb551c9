import { Condition } from './condition.js';
import type { MongoFilter } from './mongo-filter.js';

const field = <V>(operator: string, value: unknown, more?: object): Condition<V> =>
  new Condition<V>({ on: 'field', operator, value, ...(more ? { more } : {}) });

/**
 * Conditions for filters. A plain value in a filter means "equals this"; everything else is said by one of
 * these, so that an object from outside can never become an operator.
 *
 * @example users.find({ age: where.gte(18), name: where.in(names), email: where.exists() })
 */
export const where: Where = {
  eq: (value) => field('$eq', value),
  ne: (value) => field('$ne', value),
  gt: (value) => field('$gt', value),
  gte: (value) => field('$gte', value),
  lt: (value) => field('$lt', value),
  lte: (value) => field('$lte', value),
  in: (values) => field('$in', values),
  notIn: (values) => field('$nin', values),
  hasAll: (values) => field('$all', values),
  hasSize: (size) => field('$size', size),
  exists: (exists = true) => field('$exists', exists),
  matches: (pattern) => field('$regex', pattern),
  element: (filter) => new Condition({ on: 'field', element: filter }),
  all: (...conditions) => new Condition({ on: 'field', all: conditions, negated: false }),
  not: (condition) => new Condition({ on: 'field', all: [condition], negated: true }),
  and: (...filters) => new Condition({ on: 'document', operator: '$and', filters }),
  or: (...filters) => new Condition({ on: 'document', operator: '$or', filters }),
  nor: (...filters) => new Condition({ on: 'document', operator: '$nor', filters }),
  trusted: (filter) => new Condition({ on: 'document', trusted: filter }),
};

/** What {@link where} can make. */
export interface Where {
  /** Equals; for an array or a document as a whole. */
  eq<V>(value: V): Condition<V>;
  ne<V>(value: V): Condition<V>;
  gt<V>(value: V): Condition<V>;
  gte<V>(value: V): Condition<V>;
  lt<V>(value: V): Condition<V>;
  lte<V>(value: V): Condition<V>;
  /** One of these. */
  in<V>(values: readonly V[]): Condition<V>;
  notIn<V>(values: readonly V[]): Condition<V>;
  /** An array that holds all of these. */
  hasAll<V>(values: readonly V[]): Condition<V>;
  /** An array of this length. */
  hasSize(size: number): Condition<never>;
  /** The field is there, whatever it holds; with false, it is not. */
  exists(exists?: boolean): Condition<never>;
  /** A text that matches. The pattern runs on the server: never build it from outside without escaping. */
  matches(pattern: RegExp): Condition<never>;
  /** An array with an element that meets all of the filter. */
  element<T extends object = Record<string, unknown>>(filter: MongoFilter<T>): Condition<never>;
  /** Several conditions on one field. */
  all<V>(...conditions: readonly Condition<V>[]): Condition<V>;
  not<V>(condition: Condition<V>): Condition<V>;
  /** Each of the filters holds. */
  and<T extends object>(...filters: readonly MongoFilter<NoInfer<T>>[]): Condition<T>;
  /** At least one of the filters holds. */
  or<T extends object>(...filters: readonly MongoFilter<NoInfer<T>>[]): Condition<T>;
  /** None of the filters holds. */
  nor<T extends object>(...filters: readonly MongoFilter<NoInfer<T>>[]): Condition<T>;
  /**
   * A filter in MongoDB's own words, operators and all. It is sent as it is: put nothing from outside into it.
   * `$where` and `$function`, which run JavaScript on the server, are refused here too.
   */
  trusted(filter: object): Condition<never>;
}
