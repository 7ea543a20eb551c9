/** Bits of the eight dots of a braille character, by row and column (Unicode 15, block 2800-28FF). */
const dotBits: readonly (readonly [number, number])[] = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
];

/** A place on the canvas, from its top left corner. */
export interface Dot {
  readonly x: number;
  readonly y: number;
}

/** A grid of characters, each of 2 x 4 dots. Dots outside are ignored. */
export class BrailleCanvas {
  readonly #bits: Uint8Array;

  constructor(
    readonly columns: number,
    readonly rows: number,
  ) {
    this.#bits = new Uint8Array(columns * rows);
  }

  /** Sets the dot at `x` from the left and `y` from the top. */
  dot(x: number, y: number): void {
    if (x < 0 || y < 0 || x >= this.columns * 2 || y >= this.rows * 4) return;
    const cell = (y >> 2) * this.columns + (x >> 1);
    this.#bits[cell] = (this.#bits[cell] ?? 0) | (dotBits[y & 3]?.[x & 1] ?? 0);
  }

  /** Sets the dots between two points, ends included; only every `spacing`-th for a dotted line. */
  line(from: Dot, to: Dot, spacing = 1): void {
    const steps = Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y), 1);
    for (let i = 0; i <= steps; i += spacing) {
      this.dot(Math.round(from.x + ((to.x - from.x) * i) / steps), Math.round(from.y + ((to.y - from.y) * i) / steps));
    }
  }

  /** The character of a cell; nothing where no dot is set. */
  character(column: number, row: number): string | undefined {
    const bits = this.#bits[row * this.columns + column];
    return bits ? String.fromCharCode(0x2800 + bits) : undefined;
  }
}
