import type { ObjectIdClass } from '../../drivers/mongodb/index.js';
import { refuse } from './names.js';

/** The fields of a collection that hold object ids and are texts of 24 hexadecimal digits for the host. */
export class ObjectIds {
  readonly #type: ObjectIdClass;
  readonly #paths: ReadonlySet<string>;

  constructor(type: ObjectIdClass, paths: Iterable<string>) {
    this.#type = type;
    this.#paths = new Set(paths);
  }

  /** The same without any field declared. */
  get without(): ObjectIds {
    return new ObjectIds(this.#type, []);
  }

  has(path: string): boolean {
    return this.#paths.has(path);
  }

  /** @throws ValidationError for a text that is no object id */
  parse(text: string, subject: string, path: readonly PropertyKey[]): object {
    if (!isObjectIdText(text)) refuse(subject, path, 'is declared as an object id, which has 24 hexadecimal digits');
    return this.#type.createFromHexString(text);
  }
}

export function isObjectIdText(text: string): boolean {
  return /^[0-9a-f]{24}$/i.test(text);
}
