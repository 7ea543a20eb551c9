/** How several values are put into an array. */
export interface PushOptions {
  /** Where they go; negative counts from the end. @default at the end */
  readonly position?: number;
  /** How many elements stay, from the front; negative from the end. @default all */
  readonly slice?: number;
  /** Sorts the array: its elements, or by the fields of its documents. @default leaves the order */
  readonly sort?: 1 | -1 | Readonly<Record<string, 1 | -1>>;
}

/** Several values for `$push` and `$addToSet`, made by {@link push}. Only code can make one. */
export class PushedValues {
  readonly #values: readonly unknown[];
  readonly #options: PushOptions;

  /** @internal */
  constructor(values: readonly unknown[], options: PushOptions) {
    this.#values = values;
    this.#options = options;
  }

  /** The values and settings; undefined for everything else. */
  static parts(value: unknown): { readonly values: readonly unknown[]; readonly options: PushOptions } | undefined {
    if (typeof value !== 'object' || value === null || !(#values in value)) return undefined;
    return { values: value.#values, options: value.#options };
  }
}

/**
 * Several values for `$push`, or for `$addToSet`.
 *
 * @example logs.updateOne({ _id }, { $push: { lines: push([line], { slice: -100 }) } })
 */
export function push(values: readonly unknown[], options: PushOptions = {}): PushedValues {
  return new PushedValues(values, options);
}
