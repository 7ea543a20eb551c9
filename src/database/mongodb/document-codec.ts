import { validate } from '../../core/index.js';
import type { MongoDocument, ObjectIdClass } from '../../drivers/mongodb/index.js';
import { decodeDocument } from './decode-document.js';
import { DocumentEncoder } from './document-encoder.js';
import type { MongoCollectionOptions, Stored } from './mongo-collection-options.js';
import { ObjectIds } from './object-ids.js';

/** The documents of one collection on their way in and out: checked by its schema, and in the types of the driver there. */
export class DocumentCodec<T extends object> {
  readonly #collection: string;
  readonly #options: MongoCollectionOptions<T>;
  #ids: ObjectIds | undefined;

  constructor(collection: string, options: MongoCollectionOptions<T>) {
    this.#collection = collection;
    this.#options = options;
  }

  /** The fields that hold object ids, once the driver's class for them is there. */
  idsOf(type: ObjectIdClass): ObjectIds {
    this.#ids ??= new ObjectIds(type, this.#options.objectIds ?? []);
    return this.#ids;
  }

  /** What the schema makes of a document. Its `_id`, which schemas rarely name, stays. @throws ValidationError */
  async check(document: unknown): Promise<unknown> {
    const { schema } = this.#options;
    if (!schema) return document;
    const { _id } = (document ?? {}) as { readonly _id?: unknown };
    const output: unknown = await validate(schema, document, `document for ${this.#collection}`);
    return _id === undefined ? output : { _id, ...(output as object) };
  }

  encode(document: unknown, ids: ObjectIds): Record<string, unknown> {
    return new DocumentEncoder('document', ids).document(document);
  }

  /** Documents of the server. Parts of them, which a projection gives, are not checked. @throws ValidationError */
  async read(
    documents: readonly MongoDocument[],
    ids: ObjectIds,
    { projection }: { readonly projection?: unknown } = {},
  ): Promise<Stored<T>[]> {
    const { schema } = this.#options;
    const decoded = documents.map((document) => decodeDocument(document, ids));
    if (!schema || projection !== undefined) return decoded as Stored<T>[];
    return (await Promise.all(
      decoded.map(async ({ _id, ...rest }) => {
        const output = await validate(schema, { _id, ...rest }, `document of ${this.#collection}`);
        return { _id, ...output };
      }),
    )) as Stored<T>[];
  }

  /** The only document, null for none. */
  async readOne(
    document: MongoDocument | null,
    ids: ObjectIds,
    options: { readonly projection?: unknown } = {},
  ): Promise<Stored<T> | null> {
    if (!document) return null;
    const [read] = await this.read([document], ids, options);
    return read ?? null;
  }
}
