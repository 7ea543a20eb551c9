import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './run.js';

/**
 * Completes `package-lock.json` with the packages of other platforms. npm leaves out what it could not
 * see when it wrote the file (npm/cli#4828), and `npm ci` then fails on every machine. Run it after each
 * change of dependencies; with `--check` it only tells what is missing.
 */
interface Locked {
  readonly version?: string;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const file = join(root, 'package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, Locked> };
const missing = Object.entries(lock.packages).flatMap(([path, parent]) =>
  Object.entries(parent.optionalDependencies ?? {})
    .filter(([name]) => resolve(path, name) === undefined)
    .map(([name, version]) => ({
      path: join(siblingFolder(path, parent), name),
      name,
      version: version.replace(/^[~^]/, ''),
      parent,
    })),
);

if (process.argv.includes('--check')) {
  for (const { path, version } of missing) console.log(`package-lock.json lacks ${path}@${version}`);
  if (missing.length > 0) console.log('Run: node --import tsx scripts/lock.ts');
  process.exitCode = missing.length > 0 ? 1 : 0;
} else {
  for (const { path, name, version, parent } of missing) {
    lock.packages[path] = { version, ...platform(name), ...(parent.dev ? { dev: true } : {}), optional: true };
  }
  const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
  writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
  console.log(`package-lock.json: added ${missing.length} packages of other platforms`);
}

/** Where Node's lookup finds `name` from the package at `path`. */
function resolve(path: string, name: string): string | undefined {
  for (let folder = path; ; folder = dirname(folder)) {
    const candidate = join(folder === '.' ? '' : folder, 'node_modules', name);
    if (candidate in lock.packages) return candidate;
    if (folder === '' || folder === '.') return undefined;
  }
}

/** The folder that holds the parent's other platform packages, so that versions stay together. */
function siblingFolder(path: string, { optionalDependencies = {} }: Locked): string {
  for (const name of Object.keys(optionalDependencies)) {
    const found = resolve(path, name);
    if (found) return found.slice(0, -name.length);
  }
  return 'node_modules';
}

/** The platform that a package's name tells, in npm's terms. */
function platform(name: string): Pick<Locked, 'os' | 'cpu' | 'libc'> {
  const first = (...words: readonly string[]): string | undefined => words.find((word) => name.includes(word));
  const os = first(
    'openharmony',
    'android',
    'darwin',
    'freebsd',
    'netbsd',
    'openbsd',
    'sunos',
    'aix',
    'linux',
    'win32',
    'windows',
  );
  const cpu = first('arm64', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64', 'mips64el', 'wasm32', 'arm');
  const libc = name.includes('musl') ? 'musl' : name.includes('gnu') ? 'glibc' : undefined;
  return {
    ...(os ? { os: [os === 'windows' ? 'win32' : os] } : {}),
    ...(cpu ? { cpu: [cpu] } : {}),
    ...(libc && os === 'linux' ? { libc: [libc] } : {}),
  };
}
