import { UnsupportedError } from '../../core/index.js';
import { headerFault } from '../../drivers/http/index.js';
import { isObject, type JSONObject, listOf, member, type OpenAPIDocument, textMember } from './document.js';

/** Where a parameter goes. */
export type ParameterPlace = 'path' | 'query' | 'header' | 'cookie';

/** How its value is written (OpenAPI 3.1 section 4.8.12.2). */
export type ParameterStyle = 'simple' | 'label' | 'matrix' | 'form' | 'spaceDelimited' | 'pipeDelimited' | 'deepObject';

/** A parameter of an operation, with what the document left to the defaults. */
export interface Parameter {
  readonly name: string;
  readonly place: ParameterPlace;
  readonly required: boolean;
  readonly description: string | undefined;
  readonly style: ParameterStyle;
  readonly explode: boolean;
  readonly allowReserved: boolean;
  /** Set when the value is written as content of this type instead of by a style. */
  readonly mediaType: string | undefined;
  /** As in the document. */
  readonly schema: unknown;
}

/** The styles of each place; the first is the default. */
const styles: Readonly<Record<ParameterPlace, readonly ParameterStyle[]>> = {
  path: ['simple', 'label', 'matrix'],
  query: ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'],
  header: ['simple'],
  cookie: ['form'],
};

/** Headers that OpenAPI describes elsewhere: as content and as security. */
const describedElsewhere: ReadonlySet<string> = new Set(['accept', 'content-type', 'authorization']);

/**
 * The parameters of an operation: its own over those of its path, without those that carry credentials,
 * and with one for every `{name}` in the path that the document forgot.
 */
export function readParameters(
  document: OpenAPIDocument,
  path: string,
  item: JSONObject,
  operation: JSONObject,
): Parameter[] {
  const found = new Map<string, Parameter>();
  for (const raw of [...listOf(item.parameters), ...listOf(operation.parameters)]) {
    const parameter = readParameter(document.object(raw, 'a parameter'));
    if (isArgument(document, parameter)) found.set(`${parameter.place} ${parameter.name}`, parameter);
  }
  const inPath = new Set(templateNames(path));
  for (const name of inPath) {
    const key = `path ${name}`;
    if (!found.has(key))
      found.set(key, readParameter({ name, in: 'path', required: true, schema: { type: 'string' } }));
  }
  return [...found.values()].filter(({ place, name }) => place !== 'path' || inPath.has(name));
}

/** The names in braces. */
export function templateNames(path: string): string[] {
  return [...path.matchAll(/\{([^{}]+)\}/g)].map(([, name = '']) => name);
}

function readParameter(raw: JSONObject): Parameter {
  const name = textMember(raw, 'name');
  const place = raw.in;
  if (name === undefined) throw new UnsupportedError('a parameter has no name');
  if (typeof place !== 'string' || !Object.hasOwn(styles, place))
    throw new UnsupportedError(`the parameter '${name}' is in '${String(place)}', which is no place for one`);
  const where = place as ParameterPlace;
  const [mediaType, content] = Object.entries(isObject(raw.content) ? raw.content : {})[0] ?? [];
  const style = styles[where].find((one) => one === raw.style) ?? styles[where][0] ?? 'simple';
  return {
    name,
    place: where,
    required: where === 'path' || raw.required === true,
    description: textMember(raw, 'description'),
    style,
    explode: typeof raw.explode === 'boolean' ? raw.explode : style === 'form',
    allowReserved: raw.allowReserved === true,
    mediaType,
    schema: mediaType === undefined ? (raw.schema ?? {}) : (member(content, 'schema') ?? {}),
  };
}

/** Credentials and fields of the message itself are not for callers to fill in. */
function isArgument({ securitySchemes }: OpenAPIDocument, { place, name }: Parameter): boolean {
  const lower = name.toLowerCase();
  if (place === 'header' && (describedElsewhere.has(lower) || headerFault(name, '') !== undefined)) return false;
  return !Object.values(securitySchemes).some(
    (scheme) =>
      member(scheme, 'type') === 'apiKey' &&
      member(scheme, 'in') === place &&
      textMember(scheme, 'name')?.toLowerCase() === lower,
  );
}
