import { type CallOptions, NotFoundError } from '../../core/index.js';
import type { ObjectIdClass } from '../../drivers/mongodb/index.js';
import type { DatabaseRow, RowId } from '../database-engine.js';
import { decodeDocument } from './decode-document.js';
import { DocumentEncoder } from './document-encoder.js';
import type { MongoCall, MongoConnection } from './mongo-connection.js';
import { checkCollectionName, refuse } from './names.js';
import { isObjectIdText, ObjectIds } from './object-ids.js';

type RowValues = Readonly<Record<string, unknown>>;

/**
 * Documents by their `_id`, shown as `id`. A text of 24 hexadecimal digits is an ObjectId; every other id is
 * itself. Names of fields are one name each.
 */
export class DocumentsById {
  readonly #connection: MongoConnection;

  constructor(connection: MongoConnection) {
    this.#connection = connection;
  }

  async create(collection: string, row: RowValues, options: CallOptions): Promise<DatabaseRow> {
    return await this.#call('insertOne', collection, options, async (call, ids) => {
      const { id, ...fields } = encodeRow(row, 'row', ids);
      const document = id === undefined ? fields : { _id: toKey(id, ids), ...fields };
      const { insertedId } = await call.database.collection(collection).insertOne(document, { ...call.common });
      return toRow({ _id: insertedId, ...fields }, ids);
    });
  }

  async findById(collection: string, id: RowId, options: CallOptions): Promise<DatabaseRow | null> {
    return await this.#call('findOne', collection, options, async (call, ids) => {
      const found = await call.database.collection(collection).findOne({ _id: toKey(id, ids) }, { ...call.abortable });
      return found && toRow(found, ids);
    });
  }

  async update(collection: string, id: RowId, patch: RowValues, options: CallOptions): Promise<DatabaseRow> {
    return await this.#call('findOneAndUpdate', collection, options, async (call, ids) => {
      const key = toKey(id, ids);
      const { id: changed, ...fields } = encodeRow(patch, 'patch', ids);
      if (changed !== undefined && changed !== id) refuse('patch', ['id'], 'cannot be changed in MongoDB');
      const documents = call.database.collection(collection);
      const settings = { ...call.common, returnDocument: 'after' };
      const found =
        Object.keys(fields).length === 0
          ? await documents.findOne({ _id: key }, { ...call.abortable })
          : await documents.findOneAndUpdate({ _id: key }, { $set: fields }, settings);
      if (found) return toRow(found, ids);
      throw new NotFoundError(`the document to update in ${collection} does not exist`);
    });
  }

  async delete(collection: string, id: RowId, options: CallOptions): Promise<boolean> {
    return await this.#call('deleteOne', collection, options, async (call, ids) => {
      const { deletedCount } = await call.database
        .collection(collection)
        .deleteOne({ _id: toKey(id, ids) }, { ...call.common });
      return Number(deletedCount) > 0;
    });
  }

  async #call<T>(
    operation: string,
    collection: string,
    options: CallOptions,
    work: (call: MongoCall, ids: ObjectIds) => Promise<T>,
  ): Promise<T> {
    checkCollectionName(collection);
    return await this.#connection.call(operation, collection, options, (call) => work(call, idsOf(call.ObjectId)));
  }
}

function idsOf(type: ObjectIdClass): ObjectIds {
  return new ObjectIds(type, ['_id']);
}

function encodeRow(row: unknown, subject: string, ids: ObjectIds): Record<string, unknown> {
  const encoded = new DocumentEncoder(subject, ids.without).document(row);
  if (Object.keys(encoded).length === 0) refuse(subject, [], 'has no columns');
  if ('_id' in encoded) refuse(subject, ['_id'], 'is called id here');
  return encoded;
}

/** @throws ValidationError for what is no id; an object would be an operator */
function toKey(id: unknown, ids: ObjectIds): unknown {
  if (typeof id === 'string') {
    return isObjectIdText(id) ? ids.parse(id, 'id', []) : new DocumentEncoder('id', ids.without).value(id, [], '');
  }
  if (typeof id === 'number' || typeof id === 'bigint') return new DocumentEncoder('id', ids.without).value(id, [], '');
  return refuse('id', [], 'must be a text or a number');
}

function toRow(document: Record<string, unknown>, ids: ObjectIds): DatabaseRow {
  const { _id, ...fields } = decodeDocument(document, ids);
  return { id: _id, ...fields };
}
