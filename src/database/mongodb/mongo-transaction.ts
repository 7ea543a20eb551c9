import type { MongoDocument } from '../../drivers/mongodb/index.js';
import { MongoCollection } from './mongo-collection.js';
import type { MongoCollectionOptions } from './mongo-collection-options.js';
import type { MongoConnection, MongoTurn } from './mongo-connection.js';

/** What a transaction's function works with: collections whose operations belong to it. */
export class MongoTransaction {
  readonly #owner: { readonly connection: MongoConnection; readonly maxDocuments: number; readonly turn: MongoTurn };

  /** @internal */
  constructor(connection: MongoConnection, maxDocuments: number, turn: MongoTurn) {
    this.#owner = { connection, maxDocuments, turn };
  }

  /** As {@link MongoDatabase.collection}, inside of the transaction. Operations take turns. */
  collection<T extends object = MongoDocument>(
    name: string,
    options: MongoCollectionOptions<T> | NonNullable<MongoCollectionOptions<T>['schema']> = {},
  ): MongoCollection<T> {
    return new MongoCollection<T>(name, options, this.#owner);
  }
}
