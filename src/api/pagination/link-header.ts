/** One link of a `Link` field (RFC 8288). */
export interface Link {
  /** As written: absolute, or relative to the URL that answered. */
  readonly target: string;
  /** Relation types in lower case. */
  readonly rel: readonly string[];
}

/** `<target>`, then parameters up to the comma that ends the link. Quoted texts may hold commas. */
const linkValue = /<([^<>]*)>((?:\s*;\s*[^\s;,="]*\s*(?:=\s*(?:"(?:[^"\\]|\\.)*"|[^\s;,"]*))?)*)\s*(?:,|$)/gy;
const parameter = /;\s*([^\s;,="]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?/g;

/** Longer fields are an accident or an attack. */
const longestField = 65_536;

/** The links of a field, those with an `anchor` left out: they are not about what was asked for. */
export function parseLinks(field: string | undefined): Link[] {
  const links: Link[] = [];
  if (field === undefined || field.length > longestField) return links;
  for (const [, target = '', parameters = ''] of eachValue(field)) {
    const known = parametersOf(parameters);
    if (!known.has('anchor'))
      links.push({ target, rel: (known.get('rel') ?? '').toLowerCase().split(/\s+/).filter(Boolean) });
  }
  return links;
}

/** Begins anew after each comma, so that one broken link does not hide the others. */
function* eachValue(field: string): Generator<RegExpExecArray> {
  let at = 0;
  while (at < field.length) {
    const start = field.indexOf('<', at);
    if (start < 0) return;
    linkValue.lastIndex = start;
    const found = linkValue.exec(field);
    if (found) yield found;
    at = found ? linkValue.lastIndex : start + 1;
  }
}

/** The first of each name counts (section 3.3). */
function parametersOf(text: string): Map<string, string> {
  const out = new Map<string, string>();
  for (const [, name = '', quoted, plain = ''] of text.matchAll(parameter)) {
    const key = name.toLowerCase();
    if (!out.has(key)) out.set(key, quoted === undefined ? plain : quoted.replaceAll(/\\(.)/g, '$1'));
  }
  return out;
}
