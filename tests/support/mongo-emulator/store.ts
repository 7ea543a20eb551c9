import { calculateObjectSize, type Document, deserialize, EJSON, serialize } from 'bson';
import { CommandFailure, writeConflict } from './failure.js';
import { readOptions } from './message.js';

export interface Index {
  readonly name: string;
  readonly key: Document;
  readonly unique?: boolean;
  readonly sparse?: boolean;
}

/** A collection: immutable documents by their `_id`, and indexes that only check uniqueness. */
export interface Collection {
  readonly documents: Map<string, Document>;
  readonly indexes: Index[];
}

/** A change, as change streams tell it. */
export interface Change {
  readonly namespace: string;
  readonly event: Document;
}

/** A transaction: what it saw at its start, and what it wrote. */
export interface Workspace {
  readonly id: string;
  readonly seen: Map<string, Map<string, Document>>;
  readonly documents: Map<string, Map<string, Document>>;
  readonly written: Map<string, Set<string>>;
  readonly changes: Change[];
}

const maxDocumentBytes = 16 * 1024 * 1024;

/** Everything the emulator holds. */
export class Store {
  readonly collections: Map<string, Collection> = new Map();
  readonly changes: Change[] = [];
  readonly #locks: Map<string, string> = new Map();
  readonly #watchers: Set<() => void> = new Set();

  collection(namespace: string): Collection {
    let found = this.collections.get(namespace);
    if (!found) {
      found = { documents: new Map(), indexes: [{ name: '_id_', key: { _id: 1 }, unique: true }] };
      this.collections.set(namespace, found);
    }
    return found;
  }

  begin(id: string): Workspace {
    const copy = (): Map<string, Map<string, Document>> =>
      new Map([...this.collections].map(([name, { documents }]) => [name, new Map(documents)]));
    return { id, seen: copy(), documents: copy(), written: new Map(), changes: [] };
  }

  /** The documents as this reader sees them. */
  read(namespace: string, workspace?: Workspace): Map<string, Document> {
    if (!workspace) return this.collections.get(namespace)?.documents ?? new Map();
    let documents = workspace.documents.get(namespace);
    if (!documents) {
      documents = new Map();
      workspace.documents.set(namespace, documents);
    }
    return documents;
  }

  /** Puts, or with undefined removes, one document. False while a transaction holds it. */
  write(
    namespace: string,
    key: string,
    document: Document | undefined,
    event: Document,
    workspace?: Workspace,
  ): boolean {
    if (document && calculateObjectSize(document) > maxDocumentBytes) {
      throw new CommandFailure(10334, 'BSONObjectTooLarge', 'BSONObj size is invalid');
    }
    const lock = `${namespace} ${key}`;
    const holder = this.#locks.get(lock);
    if (workspace) {
      const live = this.collections.get(namespace)?.documents.get(key);
      const mine = workspace.written.get(namespace)?.has(key);
      if (
        (holder !== undefined && holder !== workspace.id) ||
        (!mine && live !== workspace.seen.get(namespace)?.get(key))
      ) {
        throw writeConflict();
      }
    } else if (holder !== undefined) return false;
    if (document) this.#assertUnique(namespace, key, document, workspace);
    const documents = workspace ? this.read(namespace, workspace) : this.collection(namespace).documents;
    if (document) documents.set(key, document);
    else documents.delete(key);
    const change = { namespace, event };
    if (!workspace) {
      this.#tell([change]);
      return true;
    }
    this.#locks.set(lock, workspace.id);
    const written = workspace.written.get(namespace) ?? new Set();
    workspace.written.set(namespace, written.add(key));
    workspace.changes.push(change);
    return true;
  }

  commit(workspace: Workspace): void {
    for (const [namespace, keys] of workspace.written) {
      for (const key of keys) {
        const document = workspace.documents.get(namespace)?.get(key);
        if (document) this.#assertUnique(namespace, key, document);
      }
    }
    for (const [namespace, keys] of workspace.written) {
      const { documents } = this.collection(namespace);
      for (const key of keys) {
        const document = workspace.documents.get(namespace)?.get(key);
        if (document) documents.set(key, document);
        else documents.delete(key);
      }
    }
    this.end(workspace);
    this.#tell(workspace.changes);
  }

  /** Gives its locks free. */
  end(workspace: Workspace): void {
    for (const [lock, holder] of this.#locks) if (holder === workspace.id) this.#locks.delete(lock);
  }

  addIndex(namespace: string, index: Index): boolean {
    const { indexes, documents } = this.collection(namespace);
    if (indexes.some(({ name }) => name === index.name)) return false;
    indexes.push(index);
    try {
      for (const [key, document] of documents) this.#assertUnique(namespace, key, document);
    } catch (error) {
      indexes.pop();
      throw error;
    }
    return true;
  }

  /** Calls back at the next change. */
  onChange(listener: () => void): () => void {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  #tell(changes: readonly Change[]): void {
    this.changes.push(...changes);
    for (const watcher of [...this.#watchers]) watcher();
  }

  #assertUnique(namespace: string, key: string, document: Document, workspace?: Workspace): void {
    for (const index of this.collections.get(namespace)?.indexes ?? []) {
      if (!index.unique || index.name === '_id_') continue;
      const entries = indexEntries(index, document);
      for (const [other, existing] of this.read(namespace, workspace)) {
        if (other === key || !indexEntries(index, existing).some((entry) => entries.includes(entry))) continue;
        throw duplicateKey(namespace, index, document);
      }
    }
  }
}

export function duplicateKey(namespace: string, index: Index, document: Document): CommandFailure {
  const keyValue = Object.fromEntries(Object.keys(index.key).map((path) => [path, valueAt(document, path)[0] ?? null]));
  const shown = EJSON.stringify(keyValue);
  const message = `E11000 duplicate key error collection: ${namespace} index: ${index.name} dup key: ${shown}`;
  return new CommandFailure(11000, 'DuplicateKey', message, { keyPattern: index.key, keyValue });
}

/** What tells one `_id` from another. */
export function keyOf(id: unknown): string {
  return EJSON.stringify({ id }, { relaxed: true });
}

/** An independent copy. */
export function copyOf(document: Document): Document {
  return deserialize(serialize(document), readOptions);
}

function indexEntries(index: Index, document: Document): string[] {
  const paths = Object.keys(index.key);
  if (index.sparse && paths.every((path) => valueAt(document, path).length === 0)) return [];
  return paths.reduce<string[]>(
    (prefixes, path) => {
      const values = valueAt(document, path);
      return prefixes.flatMap((prefix) => (values.length > 0 ? values : [null]).map((value) => prefix + keyOf(value)));
    },
    [''],
  );
}

function valueAt(value: unknown, path: string): unknown[] {
  return path.split('.').reduce<unknown[]>(
    (values, name) =>
      values.flatMap((item) => {
        const inner = (item as Document | null | undefined)?.[name] as unknown;
        return inner === undefined ? [] : Array.isArray(inner) ? inner : [inner];
      }),
    [value],
  );
}
