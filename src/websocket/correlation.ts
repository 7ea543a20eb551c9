import { randomUUID } from 'node:crypto';
import { ValidationError } from '../core/index.js';

/**
 * How an answer finds its request. The default is the field `id`: it is put into the message unless it is
 * there, and an incoming message with the same `id` is the answer.
 *
 * @example const byHeader: Correlation<Frame, Frame> = { attach: (m, id) => ({ ...m, headers: { id } }), idOf: (m) => m.headers?.id };
 */
export interface Correlation<In = unknown, Out = unknown> {
  /** The message with the id in it. */
  attach(message: Out, id: string): Out;
  /** The id of the request that a message answers; undefined for any other message. */
  idOf(message: In): string | number | undefined;
}

/** A request ready to go. */
export interface Correlated<Out> {
  readonly message: Out;
  readonly id: string;
}

/** Gives ids to requests and reads them from answers. */
export class Correlator<In, Out> {
  readonly #custom: Correlation<In, Out> | undefined;
  readonly #field: string;
  /** Other clients of the same server do not get in the way, nor do messages that have ids of their own. */
  readonly #prefix: string = randomUUID().slice(0, 8);
  #count = 0;

  constructor(correlation: string | Correlation<In, Out>) {
    this.#custom = typeof correlation === 'string' ? undefined : correlation;
    this.#field = typeof correlation === 'string' ? correlation : '';
  }

  /** @throws ValidationError when the message has no place for an id */
  begin(message: Out): Correlated<Out> {
    const fresh = `${this.#prefix}-${++this.#count}`;
    if (this.#custom) return { message: this.#custom.attach(message, fresh), id: fresh };
    if (typeof message !== 'object' || message === null || Array.isArray(message))
      throw new ValidationError('request', [{ path: [], message: `must be an object, to carry '${this.#field}'` }]);
    const own = readId(message, this.#field);
    return own === undefined ? { message: { ...message, [this.#field]: fresh }, id: fresh } : { message, id: own };
  }

  /** The id in a message as it came: a schema may leave the field out. Undefined with a correlation of one's own. */
  fieldOf(decoded: unknown): string | undefined {
    return this.#custom ? undefined : readId(decoded, this.#field);
  }

  idOf(message: In): string | undefined {
    if (!this.#custom) return readId(message, this.#field);
    const id = this.#custom.idOf(message);
    return id === undefined ? undefined : String(id);
  }
}

function readId(message: unknown, field: string): string | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const id = (message as Readonly<Record<string, unknown>>)[field];
  return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined;
}
