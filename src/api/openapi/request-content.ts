import { UnsupportedError, ValidationError } from '../../core/index.js';
import { isObject, type JSONObject, member, type OpenAPIDocument } from './document.js';
import type { Parameter, ParameterStyle } from './parameter.js';
import { contentText, pairTexts } from './styled-value.js';

/** Content ready to be the body of a request. */
export interface EncodedContent {
  readonly body: unknown;
  /** Absent where the body says it itself: forms choose their boundary. */
  readonly contentType?: string;
}

type ContentKind = 'json' | 'form' | 'multipart' | 'text' | 'binary';

/** The content of an operation's request, in the one of its media types that carries arguments best. */
export class RequestContent {
  readonly required: boolean;
  readonly description: string | undefined;
  /** The schema of the `body` argument, as the document has it. */
  readonly schema: unknown;
  readonly #kind: ContentKind;
  readonly #mediaType: string;
  readonly #encoding: JSONObject;
  /** Properties of a multipart form that hold bytes. */
  readonly #binary: ReadonlySet<string>;

  /** @throws UnsupportedError when there is nothing to send */
  constructor(document: OpenAPIDocument, raw: unknown) {
    const body = document.object(raw, 'the request body');
    const content = isObject(body.content) ? body.content : {};
    const [mediaType] = Object.keys(content).sort((a, b) => rank(a) - rank(b));
    if (mediaType === undefined) throw new UnsupportedError('the request body has no content');
    const media = document.object(content[mediaType], 'the content of the request body');
    this.required = body.required === true;
    this.description = typeof body.description === 'string' ? body.description : undefined;
    this.#mediaType = mediaType.includes('*') ? 'application/octet-stream' : mediaType;
    this.#kind = kindOf(mediaType);
    this.#encoding = isObject(media.encoding) ? media.encoding : {};
    this.#binary = this.#kind === 'multipart' ? binaryProperties(document, media.schema) : new Set();
    this.schema = this.#argumentSchema(document, media.schema);
  }

  /** @throws ValidationError for what this content cannot be made of */
  encode(value: unknown): EncodedContent {
    const contentType = this.#mediaType;
    switch (this.#kind) {
      case 'json':
        return { body: jsonBody(value), contentType };
      case 'form':
        return { body: this.#form(fieldsOf(value)), contentType };
      case 'multipart':
        return { body: this.#multipart(fieldsOf(value)) };
      case 'text':
        if (typeof value !== 'string') throw refusal([], 'must be a text');
        return { body: value, contentType };
      case 'binary':
        return { body: bytesOf(value, []), contentType };
    }
  }

  #argumentSchema(document: OpenAPIDocument, schema: unknown): unknown {
    if (this.#kind === 'text') return { type: 'string', description: `Content of type ${this.#mediaType}` };
    if (this.#kind === 'binary') return base64Schema(this.#mediaType);
    if (this.#binary.size === 0) return schema ?? {};
    const form = document.object(schema, 'the form');
    const properties = Object.entries(form.properties as JSONObject).map(([name, property]) => {
      if (!this.#binary.has(name)) return [name, property];
      const { items } = document.object(property, 'a part');
      const part = base64Schema(this.#encodingOf(name).contentType);
      return [name, items === undefined ? part : { type: 'array', items: part }];
    });
    return { ...form, properties: Object.fromEntries(properties) };
  }

  /** RFC 1866 section 8.2.1 by the styles of the encoding; objects without one go as JSON. */
  #form(fields: JSONObject): string {
    const texts = Object.entries(fields).flatMap(([name, value]) => {
      if (value === undefined || value === null) return [];
      const encoding = this.#encodingOf(name);
      const nested = isObject(value) || (Array.isArray(value) && value.some((item) => typeof item === 'object'));
      const mediaType = nested && !encoding.style ? (encoding.contentType ?? 'application/json') : undefined;
      const style = encoding.style ?? 'form';
      const { explode = style === 'form', allowReserved = false } = encoding;
      return pairTexts({ name, style, explode, allowReserved, mediaType }, value);
    });
    return texts.join('&');
  }

  #multipart(fields: JSONObject): FormData {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) {
      const values = Array.isArray(value) && this.#repeats(name, value) ? value : [value];
      for (const item of values) if (item !== undefined && item !== null) this.#appendPart(form, name, item);
    }
    return form;
  }

  /** A list is one part for each item (OpenAPI 3.1 section 4.8.15.1), unless it was given a type as a whole. */
  #repeats(name: string, value: readonly unknown[]): boolean {
    return (
      this.#encodingOf(name).contentType === undefined || value.some((item) => isBytes(item)) || this.#binary.has(name)
    );
  }

  #appendPart(form: FormData, name: string, value: unknown): void {
    const { contentType } = this.#encodingOf(name);
    if (isBytes(value) || this.#binary.has(name)) {
      const bytes = bytesOf(value, [name]);
      const type =
        contentType?.split(',', 1)[0] ??
        (value instanceof Blob && value.type ? value.type : 'application/octet-stream');
      form.append(name, new File([bytes], value instanceof File ? value.name : name, { type }));
      return;
    }
    const mediaType = contentType ?? (typeof value === 'object' ? 'application/json' : 'text/plain');
    form.append(name, contentText({ name, mediaType, style: 'form', explode: true, allowReserved: false }, value));
  }

  #encodingOf(name: string): {
    style?: ParameterStyle;
    explode?: boolean;
    allowReserved?: boolean;
    contentType?: string;
  } {
    const { style, explode, allowReserved, contentType } = (member(this.#encoding, name) ?? {}) as JSONObject;
    return {
      ...(formStyles.includes(style) && { style: style as Parameter['style'] }),
      ...(typeof explode === 'boolean' && { explode }),
      ...(typeof allowReserved === 'boolean' && { allowReserved }),
      ...(typeof contentType === 'string' && { contentType }),
    };
  }
}

const formStyles: readonly unknown[] = ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'];
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

const order: readonly ContentKind[] = ['json', 'multipart', 'form', 'text', 'binary'];

function rank(mediaType: string): number {
  return order.indexOf(kindOf(mediaType));
}

function kindOf(mediaType: string): ContentKind {
  const type = mediaType.toLowerCase().split(';', 1)[0]?.trim() ?? '';
  if (/[/+]json$/.test(type)) return 'json';
  if (type === 'application/x-www-form-urlencoded') return 'form';
  if (type === 'multipart/form-data') return 'multipart';
  return /^text\/(?!\*)|[/+](?:xml|yaml)$/.test(type) ? 'text' : 'binary';
}

function binaryProperties(document: OpenAPIDocument, schema: unknown): ReadonlySet<string> {
  const properties = schema === undefined ? undefined : document.object(schema, 'the form').properties;
  const names = Object.entries(isObject(properties) ? properties : {}).filter(([, property]) => {
    const own = document.object(property, 'a part');
    return isBinary(own) || (isObject(own.items) && isBinary(document.object(own.items, 'a part')));
  });
  return new Set(names.map(([name]) => name));
}

function isBinary({ format, contentMediaType, contentEncoding }: JSONObject): boolean {
  return (
    format === 'binary' ||
    format === 'byte' ||
    contentEncoding === 'base64' ||
    contentMediaType === 'application/octet-stream'
  );
}

function base64Schema(mediaType = 'application/octet-stream'): JSONObject {
  return { type: 'string', contentEncoding: 'base64', contentMediaType: mediaType, description: 'Bytes, in base64' };
}

/** Objects are encoded with the request; what is not one would go as it is, so it is written here. */
function jsonBody(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? value : contentText(jsonText, value);
}

const jsonText = {
  name: 'body',
  mediaType: 'application/json',
  style: 'form',
  explode: true,
  allowReserved: false,
} as const;

function fieldsOf(value: unknown): JSONObject {
  if (!isObject(value)) throw refusal([], 'must be an object: each property is a field of the form');
  return value;
}

function isBytes(value: unknown): value is Uint8Array<ArrayBuffer> | Blob {
  return value instanceof Uint8Array || value instanceof Blob;
}

function bytesOf(value: unknown, path: readonly string[]): Uint8Array<ArrayBuffer> | Blob {
  if (isBytes(value)) return value;
  const text = typeof value === 'string' ? value.replaceAll(/\s/g, '') : undefined;
  if (text === undefined || !base64.test(text)) throw refusal(path, 'must be base64 text, a Uint8Array or a Blob');
  return new Uint8Array(Buffer.from(text, 'base64'));
}

function refusal(path: readonly string[], message: string): ValidationError {
  return new ValidationError('arguments', [{ path: ['body', ...path], message }]);
}
