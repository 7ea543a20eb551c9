import { createHash } from 'node:crypto';
import type { EncodedValue } from './sql-fragment.js';

/** A text with what is known about it; kept between calls, so that each text is looked at once. */
export class StatementShape {
  readonly text: string;
  /** The first words in lower case, comments left out: `select`, `insert`, `set local`. */
  readonly command: string;
  #fingerprint: string | undefined;

  constructor(text: string) {
    this.text = text;
    this.command = leadingWords(text);
  }

  /** The first word: `select`, or `statement` where there is none. */
  get operation(): string {
    return this.command.split(' ')[0] || 'statement';
  }

  /** 12 hexadecimal digits that name the text, the same for every spacing. Values are not in it. */
  get fingerprint(): string {
    this.#fingerprint ??= createHash('sha256').update(this.text.replace(/\s+/g, ' ').trim()).digest('hex').slice(0, 12);
    return this.#fingerprint;
  }
}

/** A statement that can be sent. */
export interface Statement {
  readonly shape: StatementShape;
  readonly values: readonly EncodedValue[];
  /** True for a template of the program: worth preparing, and safe to show, because it holds no values. */
  readonly fixed: boolean;
}

const leading = /^(?:\s+|--[^\n]*(?:\n|$)|\(|;)+/;

/** Up to two words that a statement begins with. */
function leadingWords(text: string): string {
  let rest = text;
  for (;;) {
    const blank = leading.exec(rest)?.[0];
    if (blank) rest = rest.slice(blank.length);
    else if (rest.startsWith('/*')) rest = afterComment(rest);
    else break;
  }
  return (/^[a-z]+(?:\s+[a-z]+)?/i.exec(rest)?.[0] ?? '').toLowerCase().replace(/\s+/, ' ');
}

/** PostgreSQL's block comments nest. */
function afterComment(text: string): string {
  let depth = 0;
  for (const { 0: mark, index } of text.matchAll(/\/\*|\*\//g)) {
    depth += mark === '/*' ? 1 : -1;
    if (depth === 0) return text.slice(index + 2);
  }
  return '';
}
