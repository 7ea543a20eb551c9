/** `npm run bench` runs every benchmark; `npm run bench -- policy` the ones whose name has the word. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from '../scripts/run.js';

const words = process.argv.slice(2);
const files = readdirSync(join(root, 'bench'))
  .filter((name) => name.endsWith('.bench.ts'))
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)));

for (const file of files) {
  console.log(`\n== ${file}`);
  const { code } = await run(process.execPath, ['--expose-gc', '--import', 'tsx', join('bench', file)], { show: true });
  if (code !== 0) process.exitCode = 1;
}
if (files.length === 0) {
  console.log(`No benchmark matches ${words.join(' ')}`);
  process.exitCode = 1;
}
