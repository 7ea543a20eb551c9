import { ValidationError } from '../core/index.js';

/** What {@link path} can put into a URL. */
export type PathValue = string | number | bigint | boolean;

/** Stands before each value while the text is put together. No URL can hold it. */
const mark = '\0';

/**
 * Builds an endpoint from data: every value is percent-encoded (RFC 3986 section 2.1), so that it stays
 * inside its segment or query parameter whatever it holds. A value that would make its segment empty,
 * `.` or `..` cannot be encoded away and is refused.
 *
 * @throws ValidationError for such a value, for `undefined`, `null`, NaN and lone surrogates
 * @example await api.request(path`/orders/${id}/lines`) // id '1?admin=1' gives /orders/1%3Fadmin%3D1/lines
 */
export function path(strings: TemplateStringsArray, ...values: readonly PathValue[]): string {
  let text = strings[0] ?? '';
  values.forEach((value, index) => {
    text += mark + encode(value, `value ${index + 1}`) + (strings[index + 1] ?? '');
  });
  return checked(text);
}

/**
 * Puts values in the place of `{names}`.
 *
 * @param textOf gives the percent-encoded text for a name
 * @throws ValidationError for a value that would change the route
 */
export function pathOf(template: string, textOf: (name: string) => string): string {
  return checked(template.replaceAll(/\{([^{}]+)\}/g, (_, name: string) => mark + textOf(name)));
}

/**
 * {@link pathOf} for plain values, of which none may be missing or left over.
 *
 * @throws ValidationError that names the value
 */
export function pathWith(template: string, params: Readonly<Record<string, PathValue>>): string {
  const left = new Set(Object.keys(params));
  const filled = pathOf(template, (name) => {
    left.delete(name);
    return encode(Object.hasOwn(params, name) ? params[name] : undefined, `the parameter '${name}'`);
  });
  const [unused] = left;
  if (unused !== undefined)
    throw refusal(`there is no {${unused}} in the path; parameters of the query go into \`query\``);
  return filled;
}

/** The text without its marks, once no marked segment can be read as another route. */
function checked(text: string): string {
  const [route = ''] = text.split(/[?#]/, 1);
  for (const segment of route.split('/')) {
    if (segment.includes(mark) && /^(?:(?:\.|%2e){0,2})$/i.test(segment.replaceAll(mark, ''))) {
      throw refusal('a value makes a path segment empty, "." or "..", which would change the route');
    }
  }
  return text.replaceAll(mark, '');
}

function encode(value: unknown, what: string): string {
  const usable =
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    typeof value === 'bigint' ||
    (typeof value === 'number' && Number.isFinite(value));
  if (!usable) throw refusal(`${what} must be a text, number, bigint or boolean, got ${kindOf(value)}`);
  try {
    return encodeURIComponent(String(value));
  } catch (cause) {
    throw refusal(`${what} has a lone surrogate, which no URL can hold`, cause);
  }
}

function kindOf(value: unknown): string {
  return value === null || typeof value === 'number' ? String(value) : typeof value;
}

function refusal(message: string, cause?: unknown): ValidationError {
  return new ValidationError('path', [{ path: [], message }], { cause });
}
