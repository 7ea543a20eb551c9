import { setTimeout as sleep } from 'node:timers/promises';
import { type Document, ObjectId, serialize } from 'bson';
import { Query, updateOne } from 'mingo';
import { badValue, CommandFailure } from './failure.js';
import { copyOf, duplicateKey, keyOf, type Store, type Workspace } from './store.js';

/** Where a write goes. */
export interface WriteTarget {
  readonly store: Store;
  readonly namespace: string;
  readonly workspace: Workspace | undefined;
}

export interface UpdateOutcome {
  readonly matched: number;
  readonly modified: number;
  readonly upsertedId: unknown;
  readonly before: Document | null;
  readonly after: Document | null;
}

export async function insert(target: WriteTarget, given: Document): Promise<Document> {
  const document: Document = '_id' in given ? given : { _id: new ObjectId(), ...given };
  const key = keyOf(document._id);
  if (target.store.read(target.namespace, target.workspace).has(key)) {
    throw duplicateKey(target.namespace, { name: '_id_', key: { _id: 1 } }, document);
  }
  await put(target, key, document, {
    operationType: 'insert',
    documentKey: { _id: document._id },
    fullDocument: document,
  });
  return document;
}

/** Documents that match, in the order asked for. */
export function matching(target: WriteTarget, filter: Document, sort?: Document): Document[] {
  try {
    const query = new Query(filter, {});
    const documents = [...target.store.read(target.namespace, target.workspace).values()];
    const found = query.find<Document>(documents);
    return (sort && Object.keys(sort).length > 0 ? found.sort(sort as Record<string, 1 | -1>) : found).all();
  } catch (error) {
    throw badValue(error);
  }
}

export async function update(target: WriteTarget, statement: Document): Promise<UpdateOutcome> {
  const { q = {}, u, upsert = false, multi = false, sort, arrayFilters } = statement as Record<string, Document>;
  const replaces = !Array.isArray(u) && !Object.keys(u ?? {}).some((name) => name.startsWith('$'));
  const found = matching(target, q as Document, sort);
  const chosen = multi ? found : found.slice(0, 1);
  let modified = 0;
  let after: Document | null = null;
  for (const document of chosen) {
    after = replaces ? { _id: document._id, ...u } : changed(document, without(u as Document), arrayFilters);
    if (keyOf(after._id) !== keyOf(document._id)) {
      throw new CommandFailure(66, 'ImmutableField', "the (immutable) field '_id' was found to have been altered");
    }
    if (Buffer.compare(serialize(after), serialize(document)) === 0) continue;
    modified += 1;
    await put(target, keyOf(document._id), after, updateEvent(document, after, replaces));
  }
  if (chosen.length > 0 || !upsert) {
    return { matched: chosen.length, modified, upsertedId: undefined, before: chosen[0] ?? null, after };
  }
  const base = equalities(q as Document);
  const made = replaces
    ? { ...('_id' in base ? { _id: base._id } : {}), ...u }
    : changed(base, onInsert(u as Document), arrayFilters);
  const document = await insert(target, made);
  return { matched: 0, modified: 0, upsertedId: document._id, before: null, after: document };
}

export async function remove(target: WriteTarget, document: Document): Promise<void> {
  await put(target, keyOf(document._id), undefined, { operationType: 'delete', documentKey: { _id: document._id } });
}

/** A write outside of transactions waits for those that hold the document. */
async function put(
  { store, namespace, workspace }: WriteTarget,
  key: string,
  document: Document | undefined,
  event: Document,
): Promise<void> {
  while (!store.write(namespace, key, document, event, workspace)) await sleep(5);
}

function changed(document: Document, u: Document | Document[], arrayFilters: unknown): Document {
  const copy = [copyOf(document)];
  try {
    const config = arrayFilters ? { arrayFilters: arrayFilters as Document[] } : {};
    if (Array.isArray(u) || Object.keys(u).length > 0) updateOne(copy, {}, u as object, config);
  } catch (error) {
    throw badValue(error);
  }
  return copyOf(copy[0] as Document);
}

function without(u: Document | Document[]): Document | Document[] {
  if (Array.isArray(u)) return u;
  const { $setOnInsert: _, ...rest } = u;
  return rest;
}

function onInsert(u: Document | Document[]): Document | Document[] {
  if (Array.isArray(u)) return u;
  const { $setOnInsert, ...rest } = u;
  return $setOnInsert ? { ...rest, $set: { ...rest.$set, ...$setOnInsert } } : rest;
}

/** What an upsert takes over from its filter. */
function equalities(filter: Document): Document {
  const out: Document = {};
  for (const [name, value] of Object.entries(filter)) {
    if (name === '$and') for (const part of value as Document[]) Object.assign(out, equalities(part));
    if (name.startsWith('$')) continue;
    const operators =
      typeof value === 'object' && value !== null && Object.keys(value).some((key) => key.startsWith('$'));
    if (!operators && !name.includes('.')) out[name] = value;
    else if (!operators) updateOne([out], {}, { $set: { [name]: value } });
    else if ('$eq' in value) out[name] = value.$eq;
  }
  return out;
}

function updateEvent(before: Document, after: Document, replaces: boolean): Document {
  const documentKey = { _id: after._id };
  if (replaces) return { operationType: 'replace', documentKey, fullDocument: after };
  const differs = (name: string): boolean => keyOf(before[name] ?? null) !== keyOf(after[name] ?? null);
  const updatedFields = Object.fromEntries(Object.entries(after).filter(([name]) => differs(name)));
  const removedFields = Object.keys(before).filter((name) => !(name in after));
  return { operationType: 'update', documentKey, updateDescription: { updatedFields, removedFields } };
}
