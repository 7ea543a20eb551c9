const newline = 0x0a;

/** Cuts a stream of bytes into lines. Holds at most `maxBytes` of a line that has not ended. */
export class LineSplitter {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** True once an unfinished line is longer than `maxBytes`; what it held is forgotten. */
  get overflowed(): boolean {
    return this.#bytes > this.#maxBytes;
  }

  /** The lines that end in `chunk`, without their ends. Characters may be cut between chunks. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      lines.push(this.#chunks.length === 0 ? chunk.toString('utf8', start, end) : this.#join(chunk.subarray(0, end)));
      start = end + 1;
    }
    if (start < chunk.byteLength) this.#hold(chunk.subarray(start));
    return lines;
  }

  #join(last: Buffer): string {
    const line = Buffer.concat([...this.#chunks, last]).toString('utf8');
    this.#chunks = [];
    this.#bytes = 0;
    return line;
  }

  #hold(rest: Buffer): void {
    this.#bytes += rest.byteLength;
    if (this.overflowed) this.#chunks = [];
    else this.#chunks.push(rest);
  }
}
