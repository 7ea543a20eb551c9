import { execFile } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
/** Without the programs of this package's dependencies: one of them brings an npm of its own. */
const PATH = (process.env.PATH ?? '')
  .split(':')
  .filter((folder) => !folder.endsWith('node_modules/.bin'))
  .join(':');
const exec = (program: string, args: readonly string[], options: { readonly cwd: string }) =>
  run(program, args, { ...options, env: { ...process.env, PATH } });
const root = fileURLToPath(new URL('../../', import.meta.url));
const app = mkdtempSync(join(tmpdir(), 'safla-consumer-'));
const installed = join(app, 'node_modules/@safla/sdk');

const budget = { packages: 115, megabytes: 40 };
/** Entries that need an optional peer to load at all. */
const needsPeer = ['./testing/vitest'];
/** Entries made for one optional peer, whose types they name. */
const namesPeerTypes = ['@safla/sdk/events/jetstream', '@safla/sdk/agents/bullmq'];

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly exports: Record<string, unknown>;
};
const entries = Object.keys(manifest.exports)
  .filter((name) => !name.endsWith('.json') && !needsPeer.includes(name))
  .map((name) => name.replace(/^\./, '@safla/sdk'));

async function node(...args: readonly string[]): Promise<string> {
  const { stdout } = await exec(process.execPath, args, { cwd: app });
  return stdout.trim();
}

describe('the packed tarball in an empty project', () => {
  beforeAll(async () => {
    await exec('npm', ['run', 'build'], { cwd: root });
    const { stdout } = await exec('npm', ['pack', '--json', '--pack-destination', app], { cwd: root });
    const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
    mkdirSync(app, { recursive: true });
    writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
    await exec(
      'npm',
      ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', join(app, filename)],
      { cwd: app },
    );
  }, 300_000);

  afterAll(() => rmSync(app, { recursive: true, force: true }));

  it(`installs at most ${budget.packages} packages and ${budget.megabytes} MB`, () => {
    const lock = JSON.parse(readFileSync(join(app, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, unknown>;
    };
    const packages = Object.keys(lock.packages).filter((path) => path !== '').length;
    const megabytes = sizeOf(join(app, 'node_modules')) / 1e6;
    console.info(`tarball: ${packages} packages, ${megabytes.toFixed(1)} MB`);
    expect(packages).toBeLessThanOrEqual(budget.packages);
    expect(megabytes).toBeLessThanOrEqual(budget.megabytes);
  });

  it('ships what its export map names, and no sources, tests or maps', () => {
    for (const target of Object.values(manifest.exports)) {
      for (const path of typeof target === 'string' ? [target] : Object.values(target as Record<string, string>)) {
        expect(existsSync(join(installed, path)), path).toBe(true);
      }
    }
    expect(readdirSync(installed).sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'package.json']);
  });

  it('loads with the root nothing but its own code, Node.js and two light packages', () => {
    const seen = new Set<string>();
    const packages = new Set<string>();
    const visit = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const [, module = ''] of readFileSync(file, 'utf8').matchAll(
        /^(?:import|export)\b[^;'"]*["']([^"']+)["'];?$/gm,
      )) {
        if (module.startsWith('.')) visit(join(dirname(file), module));
        else if (!isBuiltin(module)) packages.add(module);
      }
    };
    visit(join(installed, 'dist/index.js'));
    expect(seen.size).toBeGreaterThan(5);
    expect([...packages].sort()).toEqual(['limiter', 'lru-cache']);
  });

  it.each(entries)('%s loads by import and by require, with the same names', async (entry) => {
    const names = (await node(
      '--input-type=module',
      '-e',
      `console.log(Object.keys(await import('${entry}')).sort().join())`,
    )) as string;
    const required = await node(
      '--input-type=commonjs',
      '--no-warnings',
      '-e',
      `console.log(Object.keys(require('${entry}')).filter((n) => n !== '__esModule' && n !== 'module.exports').sort().join())`,
    );
    expect(names.length).toBeGreaterThan(0);
    expect(required).toBe(names);
  });

  it('ends at once after it was imported, without process listeners', async () => {
    const count = 'console.log(process.eventNames().length)';
    const bare = await node('--input-type=module', '-e', count);
    expect(await node('--input-type=module', '-e', `await import('@safla/sdk'); ${count}`)).toBe(bare);
  });

  it('compiles in a strict consumer without skipLibCheck and without the optional peers', async () => {
    const alone = entries.filter((entry) => !namesPeerTypes.includes(entry));
    const imports = alone.map(
      (entry, i) => `import * as entry${i} from '${entry}';\nexport type Entry${i} = typeof entry${i};`,
    );
    writeFileSync(join(app, 'consumer.ts'), `${imports.join('\n')}\n${consumer}`);
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const settings = ['--strict', '--skipLibCheck', 'false', '--noEmit', '--module', 'nodenext', '--target', 'es2022'];
    const types = [
      '--lib',
      'es2023,esnext.disposable',
      '--types',
      'node',
      '--typeRoots',
      join(root, 'node_modules/@types'),
    ];
    const outcome = await exec(process.execPath, [tsc, ...settings, ...types, 'consumer.ts'], { cwd: app }).catch(
      (error: { stdout?: string }) => ({ stdout: error.stdout ?? String(error) }),
    );
    expect(outcome.stdout).toBe('');
  });
});

const consumer = `
import { APIIntegration, SaflaError, policy, type APIResponse } from '@safla/sdk';
const api = new APIIntegration('https://api.example.com/v1', 'key', 50);
export async function load(): Promise<unknown> {
  try {
    const answer: APIResponse<unknown> = await api.request('/x');
    return answer.data;
  } catch (error) {
    if (SaflaError.is(error)) return error.code;
    throw error;
  }
}
export const careful = policy({ timeoutMs: 1_000 });
`;

function sizeOf(path: string): number {
  const stat = lstatSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((total, name) => total + sizeOf(join(path, name)), 0);
}
