import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root, runExample } from './run-example.js';

const folder = mkdtempSync(join(tmpdir(), 'safla-tour-'));
const write = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

describe('npm start', () => {
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('works through every integration, writes the chart and leaves no process', async () => {
    const { code, stdout, stderr, left } = await runExample('examples/quickstart.ts');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(left).toEqual([]);
    for (const words of [
      '144 values, 104 to 622',
      'from cache: true; the backend saw 1 request',
      'mean 280.3, median 265.5, sd 120',
      'a season of 12 steps',
      'trend increasing',
      '4 events on finding.recorded',
      'finds: the forecast peaks',
    ]) {
      expect(stdout).toContain(words);
    }
    const svg = readFileSync(join(root, 'out/forecast.svg'), 'utf8');
    expect(svg).toMatch(/^<svg[^>]+xmlns=/);
    expect(svg).toContain('<title');
  });

  it("takes the tour on the user's own file", async () => {
    const rows = Array.from({ length: 40 }, (_, i) => `2025-${i + 1},${100 + i + 10 * Math.sin((i * Math.PI) / 2)}`);
    const { code, stdout } = await runExample(
      'examples/quickstart.ts',
      write('mine.csv', `date,value\n${rows.join('\n')}\n`),
    );
    expect(code).toBe(0);
    expect(stdout).toContain('40 values');
    expect(stdout).toContain('a season of 4 steps');
  });

  it.each([
    ['a value that is no number', 'bad.csv', 'date,value\n2025-01,1\n2025-02,abc\n', 'bad.csv:3'],
    ['a row without a value', 'short.csv', 'date,value\n2025-01\n', 'short.csv:2'],
    ['no rows', 'empty.csv', '', 'empty.csv'],
  ])('gives one clear line with the place for %s', async (_, name, text, place) => {
    const { code, stdout, stderr, left } = await runExample('examples/quickstart.ts', write(name, text));
    expect(code).not.toBe(0);
    expect(stdout).toBe('');
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain(place);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(left).toEqual([]);
  });

  it('gives one clear line for a file that is not there, and for a folder', async () => {
    for (const [file, reason] of [
      [join(folder, 'absent.csv'), 'ENOENT'],
      [folder, 'EISDIR'],
    ] as const) {
      const { code, stderr } = await runExample('examples/quickstart.ts', file);
      expect(code).not.toBe(0);
      expect(stderr).toContain(reason);
      expect(stderr.trim().split('\n')).toHaveLength(1);
    }
  });
});
