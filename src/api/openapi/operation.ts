import type { APIResponse, RequestOptions } from '../api-call.js';

/** A JSON Schema 2020-12 of an object; references lead to its own `$defs`. */
export interface OperationInput {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, OperationSchema>>;
  readonly required: readonly string[];
  readonly additionalProperties: false;
  readonly $defs?: Readonly<Record<string, OperationSchema>>;
}

/** A JSON Schema 2020-12. */
export type OperationSchema = boolean | { readonly [keyword: string]: unknown };

/** What a host may know of an operation before it calls it, in the words of the MCP specification (`ToolAnnotations`). */
export interface OperationAnnotations {
  /** GET and HEAD. */
  readonly readOnlyHint: boolean;
  /** PUT, PATCH and DELETE. */
  readonly destructiveHint: boolean;
  /** All but POST and PATCH. */
  readonly idempotentHint: boolean;
  readonly openWorldHint: true;
}

/** Settings of one call of an operation. */
export type OperationCallOptions = Pick<
  RequestOptions,
  'signal' | 'timeoutMs' | 'headers' | 'idempotencyKey' | 'cache'
>;

/** One operation of an OpenAPI document, ready to be called or put behind a tool. */
export interface APIOperation {
  /** The `operationId`, or method and path; 1 to 64 of `a-z A-Z 0-9 _ -`, unique in its document. */
  readonly name: string;
  /** The summary, if there is one. */
  readonly title?: string;
  /** Summary and description; method and path when there is neither. */
  readonly description: string;
  readonly method: string;
  /** As in the document, with its `{parameters}`. */
  readonly path: string;
  readonly tags: readonly string[];
  readonly deprecated: boolean;
  /** The arguments: one property for each parameter, and `body` for the request's content. */
  readonly input: OperationInput;
  /** The content of the successful answer, when that is JSON. */
  readonly output?: OperationSchema;
  readonly annotations: OperationAnnotations;
  /**
   * Names of the security schemes, for information: each entry is one way in, all schemes of which are
   * needed. They never become arguments: the API sends its own credential.
   */
  readonly security: readonly (readonly string[])[];
  /**
   * Sends it. Arguments stand under the names of `input`; binary content is base64 text, bytes or a Blob.
   *
   * @throws ValidationError for missing, unknown and unfit arguments; else as `APIIntegration.request`
   */
  call(args?: Readonly<Record<string, unknown>>, options?: OperationCallOptions): Promise<APIResponse>;
}

/** An operation that cannot be called, and why. */
export interface UnsupportedOperation {
  readonly method: string;
  readonly path: string;
  readonly reason: string;
}
