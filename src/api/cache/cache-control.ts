/** Directives of a `Cache-Control` field by lower-case name; `true` for one without an argument. */
export type Directives = ReadonlyMap<string, string | true>;

/** One member of the list: a name, and an argument as token or quoted text. What follows it up to the comma is noise. */
const member = /[\s,=;"]*([^\s,=;"]+)(?:=("(?:[^"\\]|\\.)*"|[^\s,"]*))?(?:"[^"]*"|[^,"])*"?/y;

/** RFC 9111 section 1.2.2: what is larger counts as this many seconds. */
export const largestSeconds = 2_147_483_648;

/**
 * Reads a `Cache-Control` field (RFC 9111 section 5.2): names without case, commas inside quoted texts
 * separate nothing, and of a directive that stands twice the first counts.
 */
export function directivesOf(field: string | undefined): Directives {
  const directives = new Map<string, string | true>();
  if (!field) return directives;
  member.lastIndex = 0;
  for (;;) {
    const found = member.exec(field);
    const name = found?.[1]?.toLowerCase();
    if (name === undefined) return directives;
    if (!directives.has(name)) directives.set(name, argumentOf(found?.[2]));
  }
}

/**
 * The argument of a directive in seconds; undefined when the directive is absent. One that is no number of
 * seconds is 0: an answer with invalid freshness counts as stale (RFC 9111 section 4.2.1).
 */
export function secondsOf(directives: Directives, name: string): number | undefined {
  const value = directives.get(name);
  if (value === undefined) return undefined;
  return value !== true && /^\d+$/.test(value) ? Math.min(Number(value), largestSeconds) : 0;
}

function argumentOf(text: string | undefined): string | true {
  if (text === undefined) return true;
  return text.startsWith('"') ? text.slice(1, -1).replaceAll(/\\(.)/g, '$1') : text;
}
