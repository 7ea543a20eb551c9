/** What importing the built package costs over bare Node.js, in CPU time; fails above the budget. Run on a machine that does nothing else. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, run } from './run.js';

const budgetMs = 80;
const maxRounds = 40;
const leastRounds = 9;

const tell = 'const { user, system } = process.cpuUsage(); console.log((user + system) / 1000)';
const own = `await import(${JSON.stringify(pathToFileURL(join(root, 'dist/index.js')).href)});`;

async function cpuMs(first: string): Promise<number> {
  const { output } = await run(process.execPath, ['--input-type=module', '-e', `${first}${tell}`]);
  return Number(output);
}

let bare = Number.POSITIVE_INFINITY;
let loaded = Number.POSITIVE_INFINITY;
// The smallest of several rounds: CPU time on a busy machine is only ever added to.
for (let round = 0; round < leastRounds || (round < maxRounds && loaded - bare > budgetMs); round++) {
  bare = Math.min(bare, await cpuMs(''));
  loaded = Math.min(loaded, await cpuMs(own));
}
const cost = loaded - bare;
console.log(`import of the root: ${cost.toFixed(1)} CPU ms over bare Node.js, ${budgetMs} at most`);
if (!(cost <= budgetMs)) process.exitCode = 1;
