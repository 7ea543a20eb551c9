import type { IssuedHeaders } from './header-source.js';

/** The headers of a request, but for its correlation id. */
export interface OutgoingHeaders {
  /** By lower-case name. */
  readonly fields: Readonly<Record<string, string>>;
  /** Tells them from others, so that nobody gets what was asked for under other credentials. */
  readonly key: string;
}

const accept = 'application/graphql-response+json, application/json;q=0.9';
/** Headers that were issued and go out as they are, which is most often so. */
const unchanged: WeakMap<IssuedHeaders, OutgoingHeaders> = new WeakMap();

/** The issued headers and, over them, those of the call; `undefined` there leaves one out. */
export function outgoingHeaders(
  issued: IssuedHeaders,
  given: Readonly<Record<string, string | undefined>> | undefined,
): OutgoingHeaders {
  if (given) return complete(issued, given);
  const known = unchanged.get(issued);
  if (known) return known;
  const made = complete(issued, {});
  unchanged.set(issued, made);
  return made;
}

function complete({ fields }: IssuedHeaders, given: Readonly<Record<string, string | undefined>>): OutgoingHeaders {
  const all: Record<string, string | undefined> = { accept, 'user-agent': 'safla-sdk', ...fields, ...given };
  // A GraphQL request is JSON, whatever else was set.
  all['content-type'] = 'application/json';
  const present = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { fields: Object.fromEntries(present), key: JSON.stringify(present) };
}
