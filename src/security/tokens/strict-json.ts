import { isUtf8 } from 'node:buffer';

/**
 * The object that UTF-8 JSON holds; undefined when it is no object, not JSON, not UTF-8, or says a member
 * twice at any depth: parsers disagree on which one counts (RFC 8259 section 4, RFC 7519 section 4).
 */
export function parseStrictObject(bytes: Buffer): Record<string, unknown> | undefined {
  if (!isUtf8(bytes)) return undefined;
  const text = bytes.toString('utf8');
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    // A member said twice is lost in between, and its name with it: where as many strings came out, none was.
    if (stringsOf(value) !== quotesOf(text) / 2 && repeatsMember(text)) return undefined;
    return value as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** How many strings a JSON value has, names of members among them. */
function stringsOf(value: unknown): number {
  if (typeof value === 'string') return 1;
  if (typeof value !== 'object' || value === null) return 0;
  let strings = 0;
  if (Array.isArray(value)) {
    for (const member of value) strings += stringsOf(member);
    return strings;
  }
  for (const name of Object.keys(value)) strings += 1 + stringsOf((value as Record<string, unknown>)[name]);
  return strings;
}

/** The quotation marks in a text; NaN where a backslash leaves open which of them end a string. */
function quotesOf(text: string): number {
  if (text.includes('\\')) return Number.NaN;
  let quotes = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) quotes += 1;
  return quotes;
}

/** True when an object of a valid JSON text has two members of one name, however they are written. */
function repeatsMember(text: string): boolean {
  // One entry for each open bracket: the names seen of an object, nothing for an array.
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{') open.push(new Set());
    else if (character === '[') open.push(undefined);
    else if (character === '}' || character === ']') open.pop();
    else if (character === '"') {
      const end = endOfString(text, at);
      const names = open.at(-1);
      if (names && isName(text, end)) {
        const name = JSON.parse(text.slice(at, end)) as string;
        if (names.has(name)) return true;
        names.add(name);
      }
      at = end - 1;
    }
  }
  return false;
}

/** The place behind the closing quote of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function isName(text: string, end: number): boolean {
  let at = end;
  while (' \t\r\n'.includes(text[at] ?? '.')) at++;
  return text[at] === ':';
}
