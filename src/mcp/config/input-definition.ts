/** What a file says of an input that it asks for (VS Code, `inputs`). */
export interface InputDefinition {
  readonly id: string;
  /** `promptString`, `pickString` or `command`. */
  readonly type?: string;
  /** What to ask. */
  readonly description?: string;
  /** True for a secret, which should not be seen while it is typed. */
  readonly password?: boolean;
  /** Taken when nobody gives a value. */
  readonly default?: string;
  /** Of a `pickString`. */
  readonly options?: readonly unknown[];
}

/** The inputs of a file by id. What is not one is left out: it is for another host to judge. */
export function inputDefinitions(value: unknown): ReadonlyMap<string, InputDefinition> {
  const list = Array.isArray(value) ? (value as unknown[]) : [];
  const found = list.filter(
    (input): input is InputDefinition => typeof (input as { id?: unknown } | null)?.id === 'string',
  );
  return new Map(found.map((input) => [input.id, input]));
}
