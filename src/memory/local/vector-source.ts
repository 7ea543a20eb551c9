import { type CallScope, ConfigurationError, ValidationError } from '../../core/index.js';
import { type Embed, embedTexts } from './embedder.js';
import type { Metric } from './metric.js';
import { assertDimension, readVector, type VectorInput } from './vector-input.js';
import { VectorRoom } from './vector-room.js';

/** A vector that was checked, or a text to make one of. */
export interface ReadSource {
  /** How it reads in errors. */
  readonly subject: string;
  readonly source: Float64Array | string;
}

/** Where vectors come from: what the caller gave, or `embed`. */
export class VectorSource {
  readonly #owner: string;
  readonly #metric: Metric;
  readonly #embed: Embed | undefined;
  readonly #room: VectorRoom = new VectorRoom();

  constructor(owner: string, metric: Metric, embed: Embed | undefined) {
    this.#owner = owner;
    this.#metric = metric;
    this.#embed = embed;
  }

  /** A checked copy of a vector; a text stays what it is. @throws ValidationError ConfigurationError */
  read(source: VectorInput | string, subject: string): ReadSource {
    if (typeof source !== 'string') return { subject, source: readVector(source, this.#metric, subject, this.#room) };
    if (source === '') throw new ValidationError(subject, [{ path: [], message: 'must not be an empty text' }]);
    if (this.#embed) return { subject, source };
    throw new ConfigurationError(`${this.#owner} needs the option embed to make vectors of texts`, {
      field: `${this.#owner}.embed`,
    });
  }

  /** Puts vectors in the place of texts, by one call of `embed`. */
  async vectors(reads: readonly ReadSource[], scope: CallScope): Promise<Float64Array[]> {
    const texts = reads.flatMap(({ source }) => (typeof source === 'string' ? source : []));
    const made = this.#embed && texts.length > 0 ? await embedTexts(this.#embed, texts, scope.signal) : [];
    scope.throwIfCancelled();
    const next = made.values();
    return reads.map(({ subject, source }) => {
      if (typeof source !== 'string') return source;
      return readVector(next.next().value, this.#metric, `what embed gave for the ${subject}`, this.#room);
    });
  }
}

/** @throws ValidationError unless each vector is as long as `dimension` says */
export function assertDimensions(
  vectors: readonly Float64Array[],
  dimension: number,
  reads: readonly ReadSource[],
): void {
  for (const [place, { subject }] of reads.entries())
    assertDimension(vectors[place] as Float64Array, dimension, subject);
}
