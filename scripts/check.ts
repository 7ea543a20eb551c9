import { run } from './run.js';

/** Everything that is checked without running the library, cheapest first. */
const steps: readonly (readonly [string, readonly string[]])[] = [
  ['lock file', ['node', '--import', 'tsx', 'scripts/lock.ts', '--check']],
  ['lint and layers', ['npm', 'run', '--silent', 'lint']],
  ['types', ['npm', 'run', '--silent', 'types']],
  ['unused code and dependencies', ['npx', '--no-install', 'knip']],
  ['build', ['npm', 'run', '--silent', 'build']],
  ['cost of importing', ['node', '--import', 'tsx', 'scripts/import-cost.ts']],
  ['public API reports', ['npm', 'run', '--silent', 'api-report', '--', '--check']],
  ['package', ['npm', 'run', '--silent', 'check:package']],
];

for (const [name, [command = 'npm', ...args]] of steps) {
  const { code, output, seconds } = await run(command, args);
  console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds.toFixed(1)} s)`);
  if (code !== 0) {
    console.log(output.trim());
    process.exit(1);
  }
}
