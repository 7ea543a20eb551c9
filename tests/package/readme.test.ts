import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = `${root}.tmp/readme`;
const readme = readFileSync(`${root}README.md`, 'utf8');
const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';

describe('README', () => {
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('shows an example of at most fifteen lines of code that compiles', async () => {
    expect(example.split('\n').filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(15);
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/example.ts`, example);
    writeFileSync(
      `${folder}/tsconfig.json`,
      JSON.stringify({ extends: '../../tsconfig.json', include: ['.'], exclude: [] }),
    );
    const tsc = [`${root}node_modules/typescript/bin/tsc`, '-p', folder];
    await promisify(execFile)(process.execPath, tsc).catch((error: { stdout: string }) =>
      expect(error.stdout).toBe(''),
    );
  }, 120_000);

  it('names every script that there is for users', () => {
    for (const words of [
      'npm ci && npm start',
      'npm test',
      'npm run check',
      'npm run bench',
      'npm run docs',
      'npm run soak',
    ]) {
      expect(readme).toContain(words);
    }
  });

  it('links only to pages that exist', () => {
    for (const [, path] of readme.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      expect(() => readFileSync(`${root}${path}`), path).toSatisfy((read: () => unknown) => {
        try {
          read();
          return true;
        } catch (error) {
          return (error as NodeJS.ErrnoException).code === 'EISDIR';
        }
      });
    }
  });
});
