import { ToolError } from './tool-error.js';

/** What runs code on the server, or writes: in no request of a model, however deep. */
const refused: ReadonlySet<string> = new Set(['$where', '$function', '$accumulator', '$out', '$merge']);

/** The stages that only read documents; others show or change the server. */
const stages: ReadonlySet<string> = new Set([
  '$addFields',
  '$bucket',
  '$bucketAuto',
  '$count',
  '$densify',
  '$facet',
  '$fill',
  '$geoNear',
  '$graphLookup',
  '$group',
  '$limit',
  '$lookup',
  '$match',
  '$project',
  '$redact',
  '$replaceRoot',
  '$replaceWith',
  '$sample',
  '$set',
  '$setWindowFields',
  '$skip',
  '$sort',
  '$sortByCount',
  '$unionWith',
  '$unset',
  '$unwind',
]);

const maxDepth = 50;

/** Looks at what a model wrote for MongoDB, before anything is sent. */
export class DocumentGuard {
  readonly #collections: ReadonlySet<string> | undefined;

  /** @param collections Those that may be seen; undefined for all but the server's own. */
  constructor(collections: readonly string[] | undefined) {
    this.#collections = collections && new Set(collections);
  }

  mayShow(collection: string): boolean {
    return this.#collections ? this.#collections.has(collection) : !collection.startsWith('system.');
  }

  /** @throws ToolError for a collection that may not be seen: whether it is there is not told */
  collection(name: unknown): string {
    if (typeof name === 'string' && name !== '' && !/[$\0]/.test(name) && this.mayShow(name)) return name;
    const allowed = this.#collections ? `; there are ${[...this.#collections].join(', ')}` : '';
    throw new ToolError(`'${String(name).slice(0, 128)}' is not a collection that can be read${allowed}`);
  }

  /**
   * A filter, a sort or an expression as it may be sent; `{ "$date": "<ISO 8601>" }` becomes a date.
   *
   * @throws ToolError
   */
  reading(value: unknown, subject: string, depth = 0): unknown {
    if (depth > maxDepth) throw new ToolError(`${subject} is nested deeper than ${maxDepth} levels`);
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((item) => this.reading(item, subject, depth + 1));
    const entries = Object.entries(value);
    const [only] = entries;
    if (entries.length === 1 && only?.[0] === '$date') return dateOf(only[1], subject);
    const checked = entries.map(([name, member]) => {
      if (refused.has(name)) throw new ToolError(`${subject} has ${name}, which is refused: it can only read`);
      return [name, this.reading(member, subject, depth + 1)];
    });
    return Object.fromEntries(checked);
  }

  /** The stages of a pipeline, and of those inside it. @throws ToolError */
  pipeline(given: unknown, subject = 'pipeline', depth = 0): readonly object[] {
    if (!Array.isArray(given)) throw new ToolError(`${subject} must be an array of stages`);
    return given.map((stage: unknown, index) => {
      const at = `${subject}.${index}`;
      const [name = '', ...more] = Object.keys(Object(stage) as object);
      if (more.length > 0 || !name.startsWith('$'))
        throw new ToolError(`${at} must be an object with one stage, such as { "$match": { } }`);
      if (!stages.has(name))
        throw new ToolError(`${at}: ${name} is refused; stages that read are ${[...stages].join(' ')}`);
      this.#inner(name, (stage as Readonly<Record<string, unknown>>)[name], at, depth);
      return this.reading(stage, at) as object;
    });
  }

  /** Pipelines and collections that a stage names. */
  #inner(name: string, body: unknown, at: string, depth: number): void {
    if (depth > maxDepth) throw new ToolError(`${at} is nested too deep`);
    const { from, coll, pipeline } = Object(body) as Readonly<Record<string, unknown>>;
    if (name === '$facet')
      for (const inner of Object.values(Object(body) as object)) this.pipeline(inner, at, depth + 1);
    if (name === '$unionWith') this.collection(typeof body === 'string' ? body : coll);
    if (name === '$graphLookup' || (name === '$lookup' && (from !== undefined || !pipeline))) this.collection(from);
    if ((name === '$lookup' || name === '$unionWith') && pipeline !== undefined) this.pipeline(pipeline, at, depth + 1);
  }
}

function dateOf(value: unknown, subject: string): Date {
  const date = new Date(typeof value === 'string' || typeof value === 'number' ? value : Number.NaN);
  if (Number.isNaN(date.getTime())) throw new ToolError(`${subject}: $date must be a time in ISO 8601`);
  return date;
}
