/**
 * A condition on a field, or on a whole document, made by `where`. Only code can make one: an object from
 * outside, whatever its keys, is never taken for a condition.
 */
export class Condition<out Value = unknown> {
  /** For the compiler: which values the condition is about. Never set. */
  declare readonly _value?: Value;
  readonly #parts: ConditionParts;

  /** @internal */
  constructor(parts: ConditionParts) {
    this.#parts = parts;
  }

  /** What a condition is made of; undefined for everything else. */
  static parts(value: unknown): ConditionParts | undefined {
    return typeof value === 'object' && value !== null && #parts in value ? value.#parts : undefined;
  }
}

/** How a condition is written for the server. */
export type ConditionParts =
  /** `{ [operator]: value }` on a field; `value` is data. */
  | { readonly on: 'field'; readonly operator: string; readonly value: unknown; readonly more?: object }
  /** `{ $not: condition }` and several conditions on one field. */
  | { readonly on: 'field'; readonly all: readonly Condition[]; readonly negated: boolean }
  /** `{ $elemMatch: filter }` */
  | { readonly on: 'field'; readonly element: unknown }
  /** `{ $or: [filter, ...] }` */
  | { readonly on: 'document'; readonly operator: '$and' | '$or' | '$nor'; readonly filters: readonly unknown[] }
  /** In MongoDB's own words, written by the host. */
  | { readonly on: 'document'; readonly trusted: object };
