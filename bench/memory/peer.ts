import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root } from '../../scripts/run.js';

const folder = join(root, '.tmp/peers');

/**
 * A peer too large or too native to be a dependency of this repository: installed on first use into
 * .tmp/peers. Undefined, with a line that says so, where it cannot be had.
 *
 * @param load what to require, when it is not the package itself
 */
export function peer<T>(name: string, version: string, load: string = name): T | undefined {
  if (!existsSync(join(folder, 'node_modules', name))) install(`${name}@${version}`);
  try {
    const require = createRequire(join(folder, 'package.json'));
    // Data is not kept in the module cache: a heap of hundreds of MB costs whoever makes garbage.
    if (load.endsWith('.json')) return JSON.parse(readFileSync(require.resolve(load), 'utf8')) as T;
    return require(load) as T;
  } catch (error) {
    console.log(`(${name}@${version} cannot be had here: ${(error as Error).message.split('\n')[0]})`);
    return undefined;
  }
}

function install(spec: string): void {
  mkdirSync(folder, { recursive: true });
  if (!existsSync(join(folder, 'package.json'))) writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  console.log(`Installing ${spec} into .tmp/peers …`);
  spawnSync('npm', ['install', '--no-audit', '--no-fund', spec], { cwd: folder, stdio: 'ignore' });
}
