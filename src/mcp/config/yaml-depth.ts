/** Deeper than a config is written, and shallow enough for parsers that recurse. */
const maxDepth = 100;

/**
 * True when a YAML text nests more deeply than a config does. Parsers recurse, and one at the end of
 * its stack can end the process; so this looks at the tokens first, which takes no recursion.
 *
 * @param tokens What yaml's `Lexer` gives.
 */
export function isTooDeep(tokens: Iterable<string>): boolean {
  /** The indentation of each open block, outermost first. */
  let indents: number[] = [];
  /** Open brackets. */
  let flow = 0;
  /** `-` and `?` so far on this line: each opens a block of its own. */
  let inline = 0;
  let atLineStart = true;
  for (const token of tokens) {
    if (token === '\n' || token === '\r\n') {
      atLineStart = true;
      inline = 0;
      continue;
    }
    if (atLineStart) {
      const indent = /^ +$/.test(token) ? token.length : 0;
      indents = [...indents.filter((open) => open < indent), indent];
      atLineStart = false;
    }
    if (token === '[' || token === '{') flow += 1;
    else if (token === ']' || token === '}') flow = Math.max(0, flow - 1);
    else if (token === '-' || token === '?') inline += 1;
    if (indents.length + flow + inline > maxDepth) return true;
  }
  return false;
}
