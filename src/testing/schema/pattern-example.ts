import { UnsupportedError } from '../../core/index.js';

/** What a class escape stands for, by one member. */
const classMembers: Readonly<Record<string, string>> = {
  d: '1',
  w: 'a',
  s: ' ',
  D: 'a',
  W: '-',
  S: 'a',
  n: '\n',
  t: '\t',
};

/** Tried in the place of a class that is too involved to read: letters first, because they stand in most. */
const candidates: readonly string[] = ['a', 'A', '1', '0', '-', '_', '.', ' ', '@', '/', ':', '#', 'é'];

/**
 * A text that matches a regular expression: literals, classes, groups, alternatives and quantifiers, the
 * first alternative and the fewest repetitions of each. The result is tested against the expression.
 *
 * @param minLength What repeats is repeated more often until the text has this length, in characters.
 * @throws UnsupportedError for an expression that it finds no text for
 */
export function patternExample(pattern: string, minLength: number = 0): string {
  const expression = compiled(pattern);
  for (const extra of [0, minLength]) {
    const text = sampleOf(pattern, extra);
    if (text !== undefined && [...text].length >= minLength && expression.test(text)) return text;
  }
  throw new UnsupportedError(`No text was found that matches the pattern ${pattern}; give the arguments yourself`);
}

function compiled(pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'u');
  } catch {
    return new RegExp(pattern);
  }
}

/** Undefined where the expression uses what is not read here: lookaround, back references. */
function sampleOf(pattern: string, extra: number): string | undefined {
  const reader = new PatternReader(pattern, extra);
  try {
    return reader.alternatives();
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

class PatternReader {
  readonly #text: string;
  readonly #extra: number;
  #at = 0;

  constructor(text: string, extra: number) {
    this.#text = text;
    this.#extra = extra;
  }

  /** The first of the alternatives; the others are read past. */
  alternatives(): string {
    const first = this.#sequence();
    while (this.#take('|')) this.#sequence();
    return first;
  }

  #sequence(): string {
    let out = '';
    while (this.#at < this.#text.length && !'|)'.includes(this.#peek())) {
      const start = this.#at;
      const piece = this.#atom();
      out += piece.repeat(this.#repetitions(this.#text.slice(start, this.#at)));
    }
    return out;
  }

  #atom(): string {
    const char = this.#next();
    if (char === '^' || char === '$') return '';
    if (char === '.') return 'a';
    if (char === '(') return this.#group();
    if (char === '[') return this.#class();
    if (char === '\\') return this.#escape();
    return char;
  }

  #group(): string {
    if (this.#take('?')) {
      const named = /^<[A-Za-z_$][\w$]*>/.exec(this.#text.slice(this.#at));
      if (named) this.#at += named[0].length;
      else if (!this.#take(':')) throw new SyntaxError('lookaround');
    }
    const inner = this.alternatives();
    if (!this.#take(')')) throw new SyntaxError('unclosed group');
    return inner;
  }

  /** Which characters are in it, the regular expression itself knows best. */
  #class(): string {
    const start = this.#at - 1;
    while (this.#peek() !== ']') if (this.#next() === '\\') this.#at++;
    this.#at++;
    const source = this.#text.slice(start, this.#at);
    const own = [...source.slice(1, -1)].filter((char) => !'^\\-'.includes(char));
    const member = [...candidates, ...own].find((char) => compiled(`^${source}$`).test(char));
    if (member === undefined) throw new SyntaxError('class');
    return member;
  }

  #escape(): string {
    const char = this.#next();
    if (char === 'b' || char === 'B') return '';
    const code = /^(?:u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]+)\}|x([0-9a-fA-F]{2}))/.exec(this.#text.slice(this.#at - 1));
    if (code) {
      this.#at += code[0].length - 1;
      return String.fromCodePoint(Number.parseInt(code[1] ?? code[2] ?? code[3] ?? '', 16));
    }
    if (char === 'p' || char === 'P') return this.#property(char);
    if (/[1-9k]/.test(char)) throw new SyntaxError('back reference');
    return classMembers[char] ?? char;
  }

  #property(char: string): string {
    const name = /^\{[^}]*\}/.exec(this.#text.slice(this.#at))?.[0] ?? '';
    this.#at += name.length;
    const member = candidates.find((one) => compiled(`^\\${char}${name}$`).test(one));
    if (member === undefined) throw new SyntaxError('property');
    return member;
  }

  /** The fewest, and `extra` more where that is allowed. Optional parts other than the unbounded are left out. */
  #repetitions(atom: string): number {
    let [least, most] = [1, 1];
    if (this.#take('*')) [least, most] = [0, Number.POSITIVE_INFINITY];
    else if (this.#take('+')) [least, most] = [1, Number.POSITIVE_INFINITY];
    else if (this.#take('?')) [least, most] = [0, 1];
    else {
      const braces = /^\{(\d+)(,(\d*))?\}/.exec(this.#text.slice(this.#at));
      if (!braces) return 1;
      this.#at += braces[0].length;
      least = Number(braces[1]);
      most = braces[2] === undefined ? least : braces[3] ? Number(braces[3]) : Number.POSITIVE_INFINITY;
    }
    this.#take('?');
    return atom === '^' || atom === '$' ? 1 : Math.min(most, least + this.#extra);
  }

  #peek(): string {
    const char = this.#text[this.#at];
    if (char === undefined) throw new SyntaxError('end');
    return char;
  }

  #next(): string {
    const char = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0);
    if (this.#at >= this.#text.length) throw new SyntaxError('end');
    this.#at += char.length;
    return char;
  }

  #take(char: string): boolean {
    const found = this.#text[this.#at] === char;
    if (found) this.#at++;
    return found;
  }
}
