import { createHash } from 'node:crypto';

const longest = 64;

/** Gives each text a name of 1 to 64 of the characters `a-z A-Z 0-9 _ -` that no other has. The same texts in the same order give the same names. */
export class UniqueNames {
  readonly #taken: Set<string> = new Set();

  of(text: string): string {
    const cleaned = text.replaceAll(/[^A-Za-z0-9_-]+/g, '_').replaceAll(/^_+|_+$/g, '') || 'unnamed';
    const name = cleaned.length > longest ? shortened(cleaned) : cleaned;
    let unique = name;
    for (let number = 2; this.#taken.has(unique); number++) {
      const end = `_${number}`;
      unique = name.slice(0, longest - end.length) + end;
    }
    this.#taken.add(unique);
    return unique;
  }
}

/** Long names often differ only at their end. */
function shortened(text: string): string {
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 6);
  return `${text.slice(0, longest - digest.length - 1)}_${digest}`;
}
