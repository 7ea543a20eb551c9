import { ProtocolError } from '../core/index.js';
import { is, type OptionChecks } from '../core/internal.js';
import { callChecks, type GraphQLCallOptions } from './graphql-call.js';

/** A connection of the Relay cursor specification, as far as it is read. */
export interface RelayConnection<TNode = unknown> {
  readonly edges?: readonly ({ readonly node?: TNode | null | undefined } | null)[] | null | undefined;
  /** What some servers offer beside `edges`. */
  readonly nodes?: readonly (TNode | null)[] | null | undefined;
  readonly pageInfo: RelayPageInfo;
}

/** Where a page ends. Forward needs `hasNextPage` and `endCursor`, backward the other two. */
export interface RelayPageInfo {
  readonly hasNextPage?: boolean | null;
  readonly endCursor?: string | null;
  readonly hasPreviousPage?: boolean | null;
  readonly startCursor?: string | null;
}

/** How a connection is walked. */
export interface GraphQLPaginateOptions<TData, TNode> extends GraphQLCallOptions {
  /** Finds the connection in the data of a page; nothing there ends the walk. */
  readonly connection: (data: TData) => RelayConnection<TNode> | null | undefined;
  /** `backward` goes from the end to the beginning, nodes of a page in that order too. @default 'forward' */
  readonly direction?: 'forward' | 'backward';
  /** The variable that takes the cursor. @default 'after', backward 'before' */
  readonly cursorVariable?: string;
  /** Requests that are made at the most. @default Infinity */
  readonly maxPages?: number;
  readonly operationName?: string;
}

export const paginateChecks: OptionChecks<GraphQLPaginateOptions<unknown, unknown>> = {
  ...callChecks,
  connection: is.required(is.function),
  direction: is.oneOf('forward', 'backward'),
  cursorVariable: is.text,
  maxPages: is.count,
  operationName: is.text,
};

/**
 * The nodes of a connection, page after page, the next one asked for when the last was read.
 *
 * @param load asks for one page, with the cursor among the variables from the second on
 * @throws ProtocolError for a cursor that comes again: the walk would never end
 */
export async function* relayPages<TData, TNode>(
  load: (variables: Readonly<Record<string, unknown>>) => Promise<TData>,
  {
    connection,
    direction = 'forward',
    cursorVariable,
    maxPages = Number.POSITIVE_INFINITY,
  }: GraphQLPaginateOptions<TData, TNode>,
): AsyncGenerator<TNode, void, undefined> {
  const forward = direction === 'forward';
  const variable = cursorVariable ?? (forward ? 'after' : 'before');
  const seen = new Set<string>();
  let cursor: string | undefined;
  for (let page = 1; page <= maxPages; page++) {
    const found = connection(await load(cursor === undefined ? {} : { [variable]: cursor }));
    if (!found) return;
    const { hasNextPage, endCursor, hasPreviousPage, startCursor } = found.pageInfo ?? {};
    const next = (forward ? hasNextPage : hasPreviousPage) ? (forward ? endCursor : startCursor) : undefined;
    // Before its nodes are given: they may be those of the page before once more.
    if (typeof next === 'string' && seen.has(next)) {
      throw new ProtocolError(
        `paginate: page ${page} ends at a cursor that came before; does the document pass $${variable} to the connection?`,
      );
    }
    yield* forward ? nodesOf(found) : nodesOf(found).reverse();
    if (typeof next !== 'string') return;
    seen.add(next);
    cursor = next;
  }
}

function nodesOf<TNode>({ edges, nodes }: RelayConnection<TNode>): TNode[] {
  const all = nodes ?? (edges ?? []).map((edge) => edge?.node);
  return all.filter((node): node is NonNullable<typeof node> => node !== null && node !== undefined) as TNode[];
}
