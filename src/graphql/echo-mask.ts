import { redactText } from '../core/index.js';

const mask = '[value]';
/** What is looked for is bounded, so that an error stays cheap; beyond it no text of the server is shown. */
const maxValues = 2_000;
const withheld = 'the message is left out: more was sent than can be looked for in it';
/** A shorter text is masked where it is quoted only: `a` occurs in every sentence. */
const shortestBare = 3;

/**
 * Takes what was sent out of what a server says: GraphQL servers quote variables and literals in their
 * messages (`got invalid value "…"`).
 */
export function echoMask(variables: unknown, literals: readonly string[]): (text: string) => string {
  const values = new Set<string>(literals);
  collect(variables, values);
  if (values.size >= maxValues) return () => withheld;
  const patterns = [...values]
    .filter((value) => value !== '')
    .sort((a, b) => b.length - a.length)
    .map(patternOf);
  if (patterns.length === 0) return redactText;
  const pattern = new RegExp(patterns.join('|'), 'g');
  return (text) => redactText(text.replaceAll(pattern, mask));
}

function collect(value: unknown, into: Set<string>): void {
  if (into.size >= maxValues) return;
  if (typeof value === 'string' || typeof value === 'number') into.add(String(value));
  else if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) collect(item, into);
}

/** A value as it is, and as JSON and JavaScript write it between quotes. */
function patternOf(value: string): string {
  const plain = escaped(value);
  const inJSON = escaped(JSON.stringify(value).slice(1, -1));
  const forms = plain === inJSON ? plain : `${plain}|${inJSON}`;
  if (/^-?\d[\d.eE+-]*$/.test(value)) return `(?<![\\w.])(?:${forms})(?![\\w.]*\\d)`;
  return value.length < shortestBare ? `(?<=["'\`])(?:${forms})(?=["'\`])` : `(?:${forms})`;
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
