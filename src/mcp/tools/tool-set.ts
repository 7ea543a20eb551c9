import { ConfigurationError } from '../../core/index.js';
import { is } from '../../core/internal.js';

/** What a set of tools has in common: its name, and what it may change. */
export interface ToolSetOptions<Write extends string> {
  /** Begins the tools' names, so that two of a kind can stand in one server. */
  readonly name?: string;
  /** The writing tools to offer as well. @default none: the tools only read */
  readonly allow?: readonly Write[];
}

/** @throws ConfigurationError for a write this set does not know */
export function checkToolSet<Write extends string>(
  owner: string,
  { name, allow }: ToolSetOptions<Write>,
  writes: readonly Write[],
): void {
  if (name !== undefined) is.text(name, `${owner}.name`);
  if (allow !== undefined) is.list(allow, `${owner}.allow`);
  for (const write of allow ?? []) {
    if (!writes.includes(write))
      throw new ConfigurationError(`${owner}.allow may hold ${writes.join(', ')}; got '${write}'`, {
        field: `${owner}.allow`,
      });
  }
}
