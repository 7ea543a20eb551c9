import { compileFragment, compileText } from './compile.js';
import type { SqlFragment } from './sql-fragment.js';
import type { Statement } from './statement.js';

/** The arguments of `query(fragment, options)` and `query(text, values, options)`. */
export function readQuery<Options extends object>(
  query: SqlFragment | string,
  second: readonly unknown[] | Options | undefined,
  third: Options | undefined,
): readonly [Statement, Options] {
  if (typeof query !== 'string') return [compileFragment(query), (second ?? {}) as Options];
  return [compileText(query, (second ?? []) as readonly unknown[]), third ?? ({} as Options)];
}
