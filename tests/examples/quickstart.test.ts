import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { MCPHost } from '@safla/sdk/mcp';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { headline } from '../../examples/support/printable.js';
import { read, statisticsSchema } from '../../examples/support/shapes.js';
import { Tour, tableWidth } from '../../examples/support/tour.js';
import { root, runExample, runExampleIn } from './run-example.js';

const folder = mkdtempSync(join(tmpdir(), 'safla-tour-'));
const write = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

describe('npm start', { timeout: 120_000 }, () => {
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('works through every integration, writes the chart and leaves no process', async () => {
    const { code, stdout, stderr, left } = await runExample('examples/quickstart.ts');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(left).toEqual([]);
    for (const words of [
      '144 values, 104 to 622',
      'from cache: true; the backend saw 1 request',
      '144 points, 1949-01 to 1960-12',
      '144 points as they came, the last of 1960-12',
      '144 rows, their event heard of 144; highest in 1960-07',
      'mean 280.3, median 265.5, sd 120',
      'a season of 12 steps',
      'stolen refresh token: reused',
      'key 2026 > 2027 while in use; moved text: DECRYPT_FAILED',
      'trend increasing',
      'trend increasing; the next 12 average 4.6 % over the last 12',
      '5 events on finding.recorded',
      'finds: the forecast peaks',
      'a new process still knows: trend increasing',
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
    ['one row', 'one.csv', 'date,value\n2025-01,1\n', 'one.csv: the tour needs at least 2 rows'],
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

  it.each([
    [['a.csv', 'b.csv'], 'The tour takes one file, got 2: a.csv, b.csv\n'],
    [[''], 'The name of the file is empty\n'],
  ])('refuses the arguments %j in one line', async (args, line) => {
    expect(await runExample('examples/quickstart.ts', ...args)).toMatchObject({ code: 1, stdout: '', stderr: line });
  });

  it.each([
    ['the working directory', (cwd: string) => ({ cwd })],
    ['the directory npm was called in', (cwd: string) => ({ cwd: tmpdir(), env: { INIT_CWD: cwd } })],
  ])('looks for the file in %s, and for its own beside itself', async (_, setting) => {
    write('here.csv', 'date,value\n2025-01,1\n2025-02,5\n');
    const { code, stdout, stderr } = await runExampleIn(setting(folder), 'examples/quickstart.ts', 'here.csv');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toContain('2 values, 1 to 5');
    expect(stdout).toContain(`The chart is in ${join(root, 'out/forecast.svg')}`);
  });

  it('shows nothing of a file that could steer the terminal', async () => {
    const file = write('steering.csv', 'date,value\n\u001b[31mred,1\n\u009b2J,5\n\u202eb,2\n');
    const { code, stdout } = await runExample('examples/quickstart.ts', file);
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u);
  });

  it('says in one line why a server ended, without its stack', async () => {
    await using host = new MCPHost({
      servers: { a: { command: 'node', args: ['-e', 'throw new TypeError("boom")'] } },
    });
    const error = await host.listTools().catch((reason: Error) => reason);
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toContain('\n    at ');
    expect(headline((error as Error).message)).toMatch(/^MCP server 'a' [^\n]*TypeError: boom$/);
  });

  it('ends quietly when its reader has seen enough', async () => {
    const { code, stderr } = await runExampleIn({ output: 'closed' }, 'examples/quickstart.ts');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it.runIf(existsSync('/dev/full'))('fails in one line when its output cannot be written', async () => {
    const output = openSync('/dev/full', 'w');
    const { code, stderr } = await runExampleIn({ output }, 'examples/quickstart.ts');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^The tour cannot be printed: ENOSPC[^\n]*\n$/);
  });
});

describe('the table of the tour', () => {
  it.each([
    [{ isTTY: true, columns: 200 }, 141],
    [{ isTTY: true, columns: 120 }, 120],
    [{ isTTY: true, columns: 100 }, 100],
    [{ isTTY: true, columns: 40 }, 80],
    [{}, 141],
  ])('on %j has lines of %i characters', async (terminal, width) => {
    using log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    const tour = new Tour(tableWidth(terminal));
    tour.begin('title');
    await tour.step('a step', 'an integration', async () => [1, 'w'.repeat(200)]);
    const lines = log.mock.calls.map(([line]) => stripVTControlCharacters(String(line)));
    expect(lines.slice(1).map((line) => line.length)).toEqual([width, width, width]);
  });

  it('says what is unexpected in an answer in one line', () => {
    expect(() => read(statisticsSchema, 'statistics', { mean: 'x' })).toThrow(
      /^statistics: unexpected answer at mean: [^\n]+$/,
    );
  });
});
