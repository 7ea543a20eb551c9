import { readFileSync } from 'node:fs';
import type { Options } from 'tsup';

interface Manifest {
  readonly exports: Record<string, string | { readonly default: string }>;
}

const manifest = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8')) as Manifest;

/** `./dist/api/index.js` is built from `src/api/index.ts`: the export map is the list of entries. */
const entry = Object.fromEntries(
  Object.values(manifest.exports).flatMap((target) => {
    if (typeof target === 'string') return [];
    const name = target.default.replace(/^\.\/dist\//, '').replace(/\.js$/, '');
    return [[name, `src/${name}.ts`]];
  }),
);

const config: Options = {
  entry,
  format: 'esm',
  target: 'node20',
  dts: false,
  splitting: true,
  treeshake: true,
  clean: false,
  silent: true,
};

export default config;
