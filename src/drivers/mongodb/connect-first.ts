import type { DriverClient, DriverCollection, DriverDatabase } from './client.js';

type Connect = () => Promise<unknown>;

/**
 * A database of a client that is not connected yet. Its arguments are made before it connects, so that what is
 * wrong with them is told even where no server is.
 */
export function connectFirst(client: DriverClient, name: string, connect: Connect): DriverDatabase {
  const database = client.db(name);
  return {
    collection: (collection) => lazyCollection(database.collection(collection), connect),
    command: async (...args) => {
      await connect();
      return await database.command(...args);
    },
    dropDatabase: async (...args) => {
      await connect();
      return await database.dropDatabase(...args);
    },
  };
}

/** Cursors are objects at once; everything else is a promise. */
const cursors = new Set<PropertyKey>(['find', 'aggregate', 'watch']);
const reads = new Set<PropertyKey>(['next', 'tryNext', 'toArray']);

function lazyCollection(collection: DriverCollection, connect: Connect): DriverCollection {
  return intercept(collection, (name, call) => {
    if (!cursors.has(name)) return (...args) => connect().then(() => call(...args));
    return (...args) => intercept(call(...args) as object, lazyRead);
  });

  function lazyRead(name: PropertyKey, call: Method): Method {
    return reads.has(name) ? (...args) => connect().then(() => call(...args)) : call;
  }
}

type Method = (...args: unknown[]) => unknown;

/** The same object, with its methods replaced by what `replace` makes of them. */
function intercept<T extends object>(target: T, replace: (name: PropertyKey, call: Method) => Method): T {
  return new Proxy(target, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name);
      return typeof value === 'function' ? replace(name, (value as Method).bind(object)) : value;
    },
  });
}
