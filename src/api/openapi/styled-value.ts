import { ValidationError } from '../../core/index.js';
import { encodeJSON } from '../../core/internal.js';
import type { Parameter } from './parameter.js';
import { escaped, escapedButReserved } from './percent-encoding.js';

/** A value that a style can write: one text, a list of them, or texts by name. */
type Flat =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | { readonly kind: 'pairs'; readonly pairs: readonly (readonly [string, string])[] };

/** What of a parameter decides how a value is written. */
export type Styled = Pick<Parameter, 'name' | 'style' | 'explode' | 'allowReserved' | 'mediaType'>;

/** The text that takes the place of `{name}` in a path, percent-encoded. */
export function pathText(styled: Styled, value: unknown): string {
  if (styled.mediaType !== undefined) return escaped(contentText(styled, value));
  const flat = flatten(styled, value);
  const { style, explode } = styled;
  if (style === 'label') return labelText(flat, explode);
  return style === 'matrix' ? matrixText(flat, explode, styled.name) : simpleText(flat, explode, escaped);
}

/** The value of a header: nothing is escaped (RFC 9110), names and values that need it are the caller's matter. */
export function headerText(styled: Styled, value: unknown): string {
  if (styled.mediaType !== undefined) return contentText(styled, value);
  return simpleText(flatten(styled, value), styled.explode, (text) => text);
}

/** `name=value` texts for a query, a form or cookies, percent-encoded. An empty list gives none. */
export function pairTexts(styled: Styled, value: unknown): string[] {
  const { name, style, explode, allowReserved, mediaType } = styled;
  const encode = allowReserved ? escapedButReserved : escaped;
  const pair = (key: string, text: string): string => `${escaped(key)}=${encode(text)}`;
  if (mediaType !== undefined) return [pair(name, contentText(styled, value))];
  if (style === 'deepObject') return deepPairs(styled, value, name).map(([key, text]) => pair(key, text));
  const flat = flatten(styled, value);
  if (flat.kind === 'text') return [pair(name, flat.text)];
  const items = flat.kind === 'list' ? flat.items : flat.pairs.flat();
  if (items.length === 0) return [];
  if (explode)
    return flat.kind === 'list' ? items.map((item) => pair(name, item)) : flat.pairs.map((one) => pair(...one));
  return [`${escaped(name)}=${delimited(styled, items)}`];
}

/** JSON for JSON types, else the text itself. */
export function contentText({ name, mediaType = '' }: Styled, value: unknown): string {
  if (!/[/+]json\b/i.test(mediaType)) return textOf(value, [name]);
  return encodeJSON(value, `argument '${name}'`);
}

function simpleText(flat: Flat, explode: boolean, encode: (text: string) => string): string {
  if (flat.kind === 'text') return encode(flat.text);
  if (flat.kind === 'list') return flat.items.map(encode).join(',');
  return flat.pairs.map(([key, text]) => encode(key) + (explode ? '=' : ',') + encode(text)).join(',');
}

/** RFC 6570 section 3.2.5. Dots of the value are escaped, so that they separate nothing. */
function labelText(flat: Flat, explode: boolean): string {
  const encode = (text: string): string => escaped(text).replaceAll('.', '%2E');
  if (flat.kind === 'list') return `.${flat.items.map(encode).join(explode ? '.' : ',')}`;
  const text = simpleText(flat, explode, encode);
  return `.${explode ? text.replaceAll(',', '.') : text}`;
}

/** RFC 6570 section 3.2.7. */
function matrixText(flat: Flat, explode: boolean, name: string): string {
  const pair = (key: string, text: string): string => `;${escaped(key)}${text === '' ? '' : `=${text}`}`;
  if (!explode || flat.kind === 'text') return pair(name, simpleText(flat, false, escaped));
  const pairs = flat.kind === 'list' ? flat.items.map((item) => [name, item] as const) : flat.pairs;
  return pairs.map(([key, text]) => pair(key, escaped(text))).join('');
}

const delimiters = { spaceDelimited: [' ', '%20'], pipeDelimited: ['|', '%7C'] } as const;

function delimited({ name, style }: Styled, items: readonly string[]): string {
  if (style !== 'spaceDelimited' && style !== 'pipeDelimited') return items.map(escaped).join(',');
  const [delimiter, text] = delimiters[style];
  // Decoded, it could not be told from what separates the items.
  if (items.some((item) => item.includes(delimiter)))
    throw refusal([name], `has an item with '${delimiter}' in it, which ${style} uses between items`);
  return items.map(escaped).join(text);
}

/** `name[key]=value`; what is nested deeper goes on in brackets, lists repeat their name. */
function deepPairs(styled: Styled, value: unknown, name: string, depth = 0): [string, string][] {
  if (value === undefined || value === null) return [];
  if (depth > 8) throw refusal([styled.name], 'is nested too deep for a query');
  if (Array.isArray(value)) return value.flatMap((item) => deepPairs(styled, item, name, depth + 1));
  if (!isPlain(value)) return [[name, textOf(value, [styled.name])]];
  return Object.entries(value).flatMap(([key, item]) => deepPairs(styled, item, `${name}[${key}]`, depth + 1));
}

function flatten({ name }: Styled, value: unknown): Flat {
  if (Array.isArray(value)) {
    const items = value.filter((item) => item !== undefined && item !== null);
    return { kind: 'list', items: items.map((item, index) => textOf(item, [name, index])) };
  }
  if (!isPlain(value)) return { kind: 'text', text: textOf(value, [name]) };
  const entries = Object.entries(value).filter(([, item]) => item !== undefined && item !== null);
  return { kind: 'pairs', pairs: entries.map(([key, item]) => [key, textOf(item, [name, key])]) };
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !(value instanceof Date);
}

function textOf(value: unknown, path: readonly PropertyKey[]): string {
  switch (typeof value) {
    case 'string':
      if (/\p{Surrogate}/u.test(value)) throw refusal(path, 'has a lone surrogate, which cannot be sent');
      return value;
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      if (Number.isFinite(value)) return String(value);
      break;
    case 'object':
      if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
  }
  throw refusal(path, 'must be a text, number or boolean, or a flat list or object of them');
}

function refusal(path: readonly PropertyKey[], message: string): ValidationError {
  return new ValidationError('arguments', [{ path, message }]);
}
