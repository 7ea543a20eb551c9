import type { APIResponse, RequestOptions } from './api-call.js';

/** What stands for an API without static types. */
export type NoPaths = Record<never, never>;

type Methods = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

/** Members that the generated types name only to exclude them are `never`. */
type Given<T> = [Exclude<T, undefined>] extends [never] ? never : Exclude<T, undefined>;

type Member<T, K> = K extends keyof T ? Given<T[K]> : never;

/** The methods of a path item that have an operation. */
type MethodsOf<Item> = { [M in Methods]: [Member<Item, Lowercase<M>>] extends [never] ? never : M }[Methods];

/** `/pets/7` and `/pets/${string}` are paths of `/pets/{id}`, segment by segment. */
type Matches<Template extends string, Path extends string> = Template extends `${infer A}/${infer B}`
  ? Path extends `${infer C}/${infer D}`
    ? SegmentMatches<A, C> extends true
      ? Matches<B, D>
      : false
    : false
  : Path extends `${string}/${string}`
    ? false
    : SegmentMatches<Template, Path>;

type SegmentMatches<Template extends string, Segment extends string> = Template extends `${string}{${string}}${string}`
  ? true
  : Segment extends Template
    ? true
    : false;

/** The path of the document that a path stands for: itself, or the one it fills in. */
type TemplateOf<Paths, Path extends string> = Path extends keyof Paths
  ? Path
  : string extends Path
    ? never
    : { [T in keyof Paths & string]: Matches<T, Path> extends true ? T : never }[keyof Paths & string];

type OperationAt<Paths, Path extends string, M extends string> = Member<
  TemplateOf<Paths, Path> extends infer T extends keyof Paths ? Paths[T] : never,
  Lowercase<M>
>;

/** A setting that is required where the document says so, and refused where it names none. */
type Setting<Name extends string, Source, Key extends string> = [Member<Source, Key>] extends [never]
  ? { readonly [N in Name]?: undefined }
  : Key extends keyof Source
    ? Record<never, never> extends Pick<Source, Key>
      ? { readonly [N in Name]?: Given<Source[Key]> }
      : { readonly [N in Name]: Given<Source[Key]> }
    : never;

/** What is sent for each media type: plain data is JSON, forms are built by the caller. */
type Sent<Content> = {
  [Type in keyof Content]: Type extends `${string}json${string}`
    ? Content[Type]
    : Type extends `multipart/${string}`
      ? FormData
      : Type extends `application/x-www-form-urlencoded${string}`
        ? URLSearchParams
        : Type extends `text/${string}`
          ? string
          : unknown;
}[keyof Content];

/** The body as a setting, out of `requestBody: { content }`. */
type BodySource<Operation> = Operation extends { requestBody: { content: infer Content } }
  ? { body: Sent<Content> }
  : Operation extends { requestBody?: infer Body }
    ? Given<Body> extends { content: infer Content }
      ? { body?: Sent<Content> }
      : NoPaths
    : NoPaths;

type Parameters<Operation> = Member<Operation, 'parameters'>;

/** Settings of a request to one operation. A path that is filled in already takes no `params`. */
type OperationOptions<Paths, Path extends string, M extends string, Operation = OperationAt<Paths, Path, M>> = Omit<
  RequestOptions,
  'method' | 'params' | 'query' | 'body' | 'schema'
> &
  (Path extends keyof Paths ? Setting<'params', Parameters<Operation>, 'path'> : { readonly params?: undefined }) &
  Setting<'query', Parameters<Operation>, 'query'> &
  Setting<'body', BodySource<Operation>, 'body'>;

/** What is read for each media type. */
type Read<Content> = {
  [Type in keyof Content]: Type extends `${string}json${string}`
    ? Content[Type]
    : Type extends `text/${string}`
      ? string
      : Uint8Array;
}[keyof Content];

type SuccessKeys<Answers> = {
  [K in keyof Answers]: `${K & (string | number)}` extends `2${string}` ? K : never;
}[keyof Answers];

type AnswerData<Answer> = Answer extends { content: infer Content }
  ? [Given<Content>] extends [never]
    ? undefined
    : Read<Content>
  : undefined;

type DataOf<Operation, Answers = Member<Operation, 'responses'>> = [SuccessKeys<Answers>] extends [never]
  ? AnswerData<Member<Answers, 'default'>>
  : { [K in SuccessKeys<Answers>]: AnswerData<Answers[K]> }[SuccessKeys<Answers>];

/** The answer to an operation, by the types of the document. It is not checked: give a `schema` for that. */
export type TypedAPIResponse<Paths, Path extends string, M extends string> = APIResponse<
  DataOf<OperationAt<Paths, Path, M>>
>;

/** Paths, as they are in the document or filled in, with a GET that needs no settings. */
export type PlainAPIPath<Paths, Path extends string> = [OperationAt<Paths, Path, 'GET'>] extends [never]
  ? never
  : Record<never, never> extends OperationOptions<Paths, Path, 'GET'>
    ? Path
    : never;

/** The methods of a path. */
export type APIMethodAt<Paths, Path extends string> =
  TemplateOf<Paths, Path> extends infer T extends keyof Paths ? MethodsOf<Paths[T]> : never;

/** Settings of a request. The method may be left out for a GET. */
export type TypedAPIOptions<Paths, Path extends string, M extends string> = { readonly method?: M } & NoInfer<
  OperationOptions<Paths, Path, M> & (M extends 'GET' ? NoPaths : { readonly method: M })
>;

/** Any text without static types; with them, a path that is not known before it runs. A literal that is not in the document is a mistake. */
export type LooseAPIPath<Paths, Path extends string> = [keyof Paths] extends [never]
  ? Path
  : string extends Path
    ? Path
    : never;
