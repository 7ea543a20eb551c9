import { styleText } from 'node:util';

/** The widths of the table's columns. */
const width = { number: 2, step: 25, integration: 31, result: 68, ms: 6 } as const;

/** Runs the steps of a tour and prints each as one row of a table as soon as it is done. */
export class Tour {
  readonly #started = performance.now();
  #number = 0;

  /** Prints the head of the table. */
  begin(title: string): void {
    console.log(`\n${bold(title)}\n`);
    console.log(dim(row('', 'step', 'integration', 'what came back', 'ms')));
    console.log(dim('─'.repeat(row('', '', '', '', '').length)));
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
    console.log(row(String(this.#number), step, integration, words, ms));
    return value;
  }

  /** Prints the foot of the table. */
  end(words: string): void {
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(1);
    console.log(`\n${green('✓')} ${this.#number} steps in ${seconds} s. ${words}\n`);
  }
}

function row(number: string, step: string, integration: string, result: string, ms: string): string {
  const cells = [
    number.padStart(width.number),
    cell(step, width.step),
    cell(integration, width.integration),
    cell(result, width.result),
    ms.padStart(width.ms),
  ];
  return ` ${cells.join('  ')}`;
}

function cell(text: string, size: number): string {
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
