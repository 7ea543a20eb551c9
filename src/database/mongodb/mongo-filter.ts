import type { Condition } from './condition.js';

/** What a field may be compared with: a value (for an array: one of its elements too), a pattern, a condition of `where`. */
export type FieldFilter<Value> =
  | Value
  | (Value extends readonly (infer Element)[] ? Element : never)
  | (Value extends string | undefined ? RegExp : never)
  | Condition<Value>
  | Condition<Value extends readonly (infer Element)[] ? Element : never>
  | Condition<never>
  | null;

/**
 * Which documents are meant: fields and what they equal, `{}` for all, or a condition of `where`. A name with
 * dots leads into documents and arrays. Every document has an `_id`, whether its type names it or not.
 */
export type MongoFilter<T extends object = Record<string, unknown>> =
  | Condition<T>
  | Condition<never>
  | ({ readonly [Name in keyof T]?: FieldFilter<T[Name]> } & ('_id' extends keyof T
      ? unknown
      : { readonly _id?: unknown }) & { readonly [path: `${string}.${string}`]: unknown });

/** Changes by MongoDB's update operators. Values are data: operators in them are refused. */
export interface MongoUpdate<T extends object = Record<string, unknown>> {
  readonly $set?: MongoFields<T>;
  readonly $setOnInsert?: MongoFields<T>;
  readonly $unset?: { readonly [Name in keyof T | MongoPath]?: true | '' | 1 };
  readonly $inc?: MongoFields<T>;
  readonly $mul?: MongoFields<T>;
  readonly $min?: MongoFields<T>;
  readonly $max?: MongoFields<T>;
  readonly $rename?: Readonly<Record<string, string>>;
  /** Sets the server's time. */
  readonly $currentDate?: { readonly [Name in keyof T | MongoPath]?: true };
  /** One value, or several by `push`. */
  readonly $push?: { readonly [Name in keyof T | MongoPath]?: unknown };
  readonly $addToSet?: { readonly [Name in keyof T | MongoPath]?: unknown };
  /** A value, or a condition of `where`. */
  readonly $pull?: { readonly [Name in keyof T | MongoPath]?: unknown };
  readonly $pullAll?: { readonly [Name in keyof T | MongoPath]?: readonly unknown[] };
  readonly $pop?: { readonly [Name in keyof T | MongoPath]?: 1 | -1 };
}

/** The path of a field inside of another, with dots. */
export type MongoPath = `${string}.${string}`;
/** New values of fields, by name or by path. */
export type MongoFields<T extends object> = { readonly [Name in keyof T]?: T[Name] | null } & {
  readonly [path: MongoPath]: unknown;
};
