import { ValidationError } from '../../core/index.js';
import { hint } from '../../core/internal.js';
import type { APIResponse, RequestOptions } from '../api-call.js';
import { pathOf } from '../path.js';
import { isObject, type JSONObject, listOf, member, type OpenAPIDocument, textMember } from './document.js';
import type { APIOperation, OperationCallOptions, OperationInput, OperationSchema } from './operation.js';
import { type Parameter, readParameters } from './parameter.js';
import { RequestContent } from './request-content.js';
import type { SchemaConverter } from './schema-converter.js';
import { headerText, pairTexts, pathText } from './styled-value.js';
import { UniqueNames } from './unique-name.js';

/** Sends a request; `APIIntegration.request` has this form. */
export type SendRequest = (path: string, options: RequestOptions) => Promise<APIResponse>;

/** What is compiled: where an operation stands in its document. */
export interface OperationSource {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly item: JSONObject;
  readonly operation: JSONObject;
}

/** What all operations of a document share. */
export interface CompileContext {
  readonly document: OpenAPIDocument;
  readonly requests: SchemaConverter;
  readonly responses: SchemaConverter;
  readonly send: SendRequest;
}

/** An operation with its arguments laid out. */
export class CompiledOperation implements APIOperation {
  readonly name: string;
  declare readonly title?: string;
  readonly description: string;
  readonly method: string;
  readonly path: string;
  readonly tags: readonly string[];
  readonly deprecated: boolean;
  readonly input: OperationInput;
  declare readonly output?: OperationSchema;
  readonly annotations: APIOperation['annotations'];
  readonly security: readonly (readonly string[])[];
  readonly #parameters: ReadonlyMap<string, Parameter>;
  readonly #content: RequestContent | undefined;
  readonly #send: SendRequest;

  /** @throws UnsupportedError for what of the operation cannot be sent */
  constructor({ name, method, path, item, operation }: OperationSource, context: CompileContext) {
    const { document, requests, send } = context;
    const title = textMember(operation, 'summary') ?? textMember(item, 'summary');
    const description = textMember(operation, 'description') ?? textMember(item, 'description');
    const texts = [title, description].filter((text) => text !== undefined);
    this.name = name;
    if (title !== undefined) this.title = title;
    this.description = [...new Set(texts)].join('\n\n') || `${method} ${path}`;
    this.method = method;
    this.path = path;
    this.tags = listOf(operation.tags).filter((tag) => typeof tag === 'string');
    this.deprecated = operation.deprecated === true;
    this.annotations = {
      readOnlyHint: method === 'GET' || method === 'HEAD' || method === 'OPTIONS',
      destructiveHint: method === 'PUT' || method === 'PATCH' || method === 'DELETE',
      idempotentHint: method !== 'POST' && method !== 'PATCH',
      openWorldHint: true,
    };
    this.security = listOf(operation.security ?? document.security)
      .filter(isObject)
      .map(Object.keys);
    this.#send = send;
    this.#content =
      operation.requestBody === undefined ? undefined : new RequestContent(document, operation.requestBody);
    const parameters = readParameters(document, path, item, operation);
    this.#parameters = argumentNames(parameters, this.#content !== undefined);
    this.input = this.#inputSchema(requests);
    const output = outputSchema(operation, context);
    if (output !== undefined) this.output = output;
    Object.freeze(this);
  }

  async call(args: Readonly<Record<string, unknown>> = {}, options: OperationCallOptions = {}): Promise<APIResponse> {
    this.#check(args);
    // A fragment only tells operations of one path apart; it is never sent.
    const [template = ''] = this.path.split('#', 1);
    const route = pathOf(template, (name) => this.#pathText(name, args));
    const query: string[] = [];
    const cookies: string[] = [];
    const headers: Record<string, string> = {};
    for (const [argument, parameter] of this.#parameters) {
      const value = args[argument];
      if (value === undefined || value === null) continue;
      if (parameter.place === 'query') query.push(...pairTexts(parameter, value));
      if (parameter.place === 'cookie') cookies.push(...pairTexts(parameter, value));
      if (parameter.place === 'header') headers[parameter.name.toLowerCase()] = headerText(parameter, value);
    }
    if (cookies.length > 0) headers.cookie = cookies.join('; ');
    const content = args.body === undefined ? undefined : this.#content?.encode(args.body);
    return this.#send(query.length > 0 ? `${route}${route.includes('?') ? '&' : '?'}${query.join('&')}` : route, {
      ...options,
      method: this.method,
      headers: {
        ...headers,
        ...(content?.contentType !== undefined && { 'content-type': content.contentType }),
        ...options.headers,
      },
      ...(content && { body: content.body }),
    });
  }

  #pathText(name: string, args: Readonly<Record<string, unknown>>): string {
    for (const [argument, parameter] of this.#parameters) {
      if (parameter.place === 'path' && parameter.name === name) return pathText(parameter, args[argument]);
    }
    return '';
  }

  #check(args: unknown): void {
    const { properties, required } = this.input;
    if (!isObject(args)) throw this.#refusal([], 'must be an object');
    for (const name of Object.keys(args)) {
      if (!Object.hasOwn(properties, name))
        throw this.#refusal([name], `is not an argument${hint(name, Object.keys(properties))}`);
    }
    const missing = required.filter((name) => args[name] === undefined || (args[name] === null && name !== 'body'));
    if (missing.length > 0)
      throw new ValidationError(
        `arguments of ${this.name}`,
        missing.map((name) => ({ path: [name], message: 'is required' })),
      );
  }

  #refusal(path: readonly string[], message: string): ValidationError {
    return new ValidationError(`arguments of ${this.name}`, [{ path, message }]);
  }

  #inputSchema(converter: SchemaConverter): OperationInput {
    const properties: Record<string, OperationSchema> = {};
    const references = new Set<string>();
    const add = (name: string, raw: unknown, description: string | undefined): void => {
      const { schema, references: found } = converter.convert(raw);
      properties[name] = description !== undefined && isObject(schema) ? { ...schema, description } : schema;
      for (const pointer of found) references.add(pointer);
    };
    for (const [argument, { schema, description }] of this.#parameters) add(argument, schema, description);
    if (this.#content) add('body', this.#content.schema, this.#content.description);
    const required = [...this.#parameters].filter(([, parameter]) => parameter.required).map(([argument]) => argument);
    const definitions = converter.definitions(references);
    return {
      type: 'object',
      properties,
      required: this.#content?.required ? [...required, 'body'] : required,
      additionalProperties: false,
      ...(definitions && { $defs: definitions }),
    };
  }
}

/** One property for each parameter. Those of the same name in two places have the place in front. */
function argumentNames(parameters: readonly Parameter[], hasBody: boolean): ReadonlyMap<string, Parameter> {
  const names = new UniqueNames();
  if (hasBody) names.of('body');
  const seen = new Set(hasBody ? ['body'] : []);
  const named = parameters.map((parameter): [string, Parameter] => {
    const base = parameter.name.replace(/\[\]$/, '');
    const name = names.of(seen.has(base) ? `${parameter.place}_${base}` : base);
    seen.add(base);
    return [name, parameter];
  });
  return new Map(named);
}

/** The content of the first successful answer that is JSON. */
function outputSchema(operation: JSONObject, { document, responses }: CompileContext): OperationSchema | undefined {
  const answers = isObject(operation.responses) ? operation.responses : {};
  const status = Object.keys(answers)
    .filter((name) => /^2(?:\d\d|XX)$/i.test(name))
    .sort()[0];
  if (status === undefined) return undefined;
  const { content } = document.object(answers[status], `the answer ${status}`);
  const [, media] = Object.entries(isObject(content) ? content : {}).find(([type]) => /[/+]json\b/i.test(type)) ?? [];
  const raw = member(media, 'schema');
  if (raw === undefined) return undefined;
  const { schema, references } = responses.convert(raw);
  const definitions = responses.definitions(references);
  return definitions && isObject(schema) ? { ...schema, $defs: definitions } : schema;
}
