import { styleText } from 'node:util';
import { printable } from './printable.js';

/** The widths of the table's columns where there is room for all. */
const width = { number: 2, step: 25, integration: 31, result: 68, ms: 6 } as const;
const fullWidth = 141;
/** Below this width the table has no column for the integrations. */
const roomForAll = 110;

/** How wide a table may be: as the terminal, within what can be read; full width into a pipe or file. */
export function tableWidth({ isTTY, columns }: { readonly isTTY?: boolean; readonly columns?: number }): number {
  return isTTY && columns ? Math.min(fullWidth, Math.max(80, columns)) : fullWidth;
}

/** Runs the steps of a tour and prints each as one row of a table as soon as it is done. */
export class Tour {
  readonly #width: number;
  readonly #started = performance.now();
  #number = 0;

  /** @param width Of the table in characters, at least 80. */
  constructor(width: number = fullWidth) {
    this.#width = width;
  }

  /** Prints the head of the table. */
  begin(title: string): void {
    console.log(`\n${bold(printable(title))}\n`);
    console.log(dim(this.#row('', 'step', 'integration', 'what came back', 'ms')));
    console.log(dim('─'.repeat(this.#width)));
  }

  /**
   * Runs one step.
   *
   * @param work gives its value and the words to show
   */
  async step<T>(step: string, integration: string, work: () => Promise<readonly [T, string]>): Promise<T> {
    const started = performance.now();
    const [value, words] = await work();
    this.#number += 1;
    const ms = (performance.now() - started).toFixed(performance.now() - started < 10 ? 1 : 0);
    console.log(this.#row(String(this.#number), step, integration, words, ms));
    return value;
  }

  /** Prints the foot of the table. */
  end(words: string): void {
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(1);
    console.log(`\n${green('✓')} ${this.#number} steps in ${seconds} s. ${words}\n`);
  }

  #row(number: string, step: string, integration: string, result: string, ms: string): string {
    const left = fullWidth - this.#width;
    const narrow = this.#width < roomForAll;
    const cells = [
      number.padStart(width.number),
      cell(step, width.step),
      ...(narrow ? [] : [cell(integration, width.integration)]),
      cell(result, width.result - left + (narrow ? width.integration + 2 : 0)),
      ms.padStart(width.ms),
    ];
    return ` ${cells.join('  ')}`;
  }
}

function cell(words: string, size: number): string {
  const text = printable(words);
  return text.length > size ? `${text.slice(0, size - 1)}…` : text.padEnd(size);
}

function bold(text: string): string {
  return styleText('bold', text);
}

function dim(text: string): string {
  return styleText('dim', text);
}

function green(text: string): string {
  return styleText('green', text);
}
