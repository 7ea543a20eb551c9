import type { ParseError } from 'jsonc-parser';
import { ConfigurationError } from '../../core/index.js';
import { lazy } from '../../core/internal.js';
import { isTooDeep } from './yaml-depth.js';

const loadYAML = lazy(() => import('yaml'));
const loadJSONC = lazy(() => import('jsonc-parser'));

/** More aliases than a person writes, fewer than a bomb needs. */
const maxAliases = 100;

/** A config as it was read, and the language it was written in. */
export interface ConfigText {
  readonly value: unknown;
  readonly language: 'JSON' | 'YAML';
}

/**
 * Reads YAML 1.2, JSON or JSON with comments. Messages name file, line and column, and never show
 * what stands there.
 *
 * @throws ConfigurationError
 */
export async function parseConfigText(text: string, file: string): Promise<ConfigText> {
  const isJSON = /\.jsonc?$/i.test(file) || text.trimStart().startsWith('{');
  const language = isJSON ? 'JSON' : 'YAML';
  try {
    return { value: await (isJSON ? parseJSON(text, file) : parseYAML(text, file)), language };
  } catch (error) {
    // The parsers are recursive.
    if (error instanceof RangeError) throw new ConfigurationError(`${file}: is nested too deep`);
    throw error;
  }
}

async function parseJSON(text: string, file: string): Promise<unknown> {
  const { parse, printParseErrorCode, visit } = await loadJSONC();
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true, disallowComments: false });
  const first = errors[0];
  if (first) throw notReadable(file, 'JSON', printParseErrorCode(first.error), placeOf(text, first.offset));
  const keys: Set<string>[] = [];
  let repeated: number | undefined;
  let reserved: number | undefined;
  visit(text, {
    onObjectBegin: () => void keys.push(new Set()),
    onObjectEnd: () => void keys.pop(),
    onObjectProperty: (key, offset) => {
      if (keys.at(-1)?.has(key)) repeated ??= offset;
      keys.at(-1)?.add(key);
      // It would become the prototype of its object.
      if (key === '__proto__') reserved ??= offset;
    },
  });
  if (repeated !== undefined) throw notReadable(file, 'JSON', 'DUPLICATE_KEY', placeOf(text, repeated));
  if (reserved !== undefined) throw notReadable(file, 'JSON', 'RESERVED_KEY', placeOf(text, reserved));
  return value;
}

async function parseYAML(text: string, file: string): Promise<unknown> {
  const { Lexer, LineCounter, parseDocument } = await loadYAML();
  if (isTooDeep(new Lexer().lex(text))) throw new ConfigurationError(`${file}: is nested too deep`);
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: true });
  const first = document.errors[0];
  if (first) {
    const { line, col } = lineCounter.linePos(first.pos[0]);
    throw notReadable(file, 'YAML', first.code, `${line}:${col}`);
  }
  try {
    return document.toJS({ maxAliasCount: maxAliases });
  } catch (error) {
    if (error instanceof RangeError) throw error;
    throw new ConfigurationError(`${file}: its YAML aliases expand to too much, or refer to nothing`);
  }
}

/** The cause is left out: a parser's own message may quote the file. */
function notReadable(file: string, language: string, code: string, place: string): Error {
  const problem = code
    .replaceAll('_', ' ')
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
  return new ConfigurationError(`${file}:${place}: not valid ${language} (${problem})`);
}

function placeOf(text: string, offset: number): string {
  const lines = text.slice(0, offset).split('\n');
  return `${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
}
