/** Components of a piece of memory that vectors are cut from. */
const pieceLength = 8_192;

/**
 * Short-lived vectors out of larger pieces of memory: an array buffer for each of them costs more than the
 * arithmetic on it. What was given is never given again.
 */
export class VectorRoom {
  #piece: Float64Array = new Float64Array(0);
  #used = 0;

  /** Zeros. */
  take(length: number): Float64Array {
    if (length > this.#piece.length - this.#used) {
      if (length * 4 > pieceLength) return new Float64Array(length);
      this.#piece = new Float64Array(pieceLength);
      this.#used = 0;
    }
    this.#used += length;
    return this.#piece.subarray(this.#used - length, this.#used);
  }
}
