import { hint } from '../../core/internal.js';
import type { MongoCollection } from './mongo-collection.js';
import { refuse } from './names.js';

const operations = ['find', 'findOne', 'insertOne', 'updateOne', 'deleteOne'] as const;

/**
 * The guide's operations by name. What they are given comes untyped, so everything in it is data: conditions
 * are made by `where`.
 *
 * @throws ValidationError
 */
export async function guideOperation(collection: MongoCollection, operation: string, query: unknown): Promise<unknown> {
  const data = query as Record<string, unknown>;
  switch (operation) {
    case 'find':
      return await collection.find(data);
    case 'findOne':
      return await collection.findOne(data);
    case 'insertOne':
      return await collection.insertOne(data);
    case 'updateOne': {
      if (typeof query !== 'object' || query === null) refuse('updateOne', [], 'takes { filter, update }');
      return await collection.updateOne(data.filter as Record<string, unknown>, data.update as Record<string, never>);
    }
    case 'deleteOne':
      return await collection.deleteOne(data);
    default:
      return refuse('executeMongoDBOperation', ['operation'], unknown(operation));
  }
}

function unknown(operation: unknown): string {
  const [name, near] =
    typeof operation === 'string' ? [`'${operation}'`, hint(operation, operations)] : ['that', hint('', operations)];
  return `${name} is not among its operations${near}; for others use db.mongo.collection(name)`;
}
