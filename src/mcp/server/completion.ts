import type { Awaitable } from '../../core/index.js';

/**
 * Suggests values for an argument that is being typed.
 *
 * @param typed What is there so far; often empty.
 * @param others The arguments that have a value already.
 * @returns the best first; more than 100 are cut, as the protocol wants
 */
export type Completer = (typed: string, others: Readonly<Record<string, string>>) => Awaitable<readonly string[]>;

/** Completers by the name of the argument or variable. */
export type Completers = Readonly<Record<string, Completer>>;

/** 2025-11-25, server/utilities/completion: "Maximum 100 items per response". */
const maxValues = 100;

/** The answer of `completion/complete`; empty for what nobody completes. */
export async function complete(
  completers: Completers | undefined,
  name: string,
  typed: string,
  others: Readonly<Record<string, string>>,
): Promise<object> {
  const completer = completers && Object.hasOwn(completers, name) ? completers[name] : undefined;
  const found = completer ? (await completer(typed, others)).map(String) : [];
  const values = found.slice(0, maxValues);
  return { completion: { values, total: found.length, hasMore: found.length > values.length } };
}
