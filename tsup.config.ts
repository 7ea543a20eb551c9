import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
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

/** What `mcpConfigSchema` says, as a file for editors. */
async function writeConfigSchema(): Promise<void> {
  const { mcpConfigSchema } = (await import(new URL('./dist/mcp/index.js', import.meta.url).href)) as {
    readonly mcpConfigSchema: object;
  };
  await writeFile('dist/mcp/config.schema.json', `${JSON.stringify(mcpConfigSchema, null, 2)}\n`);
}

const config: Options = {
  entry,
  format: 'esm',
  target: 'node20',
  dts: false,
  splitting: true,
  treeshake: true,
  clean: false,
  silent: true,
  onSuccess: writeConfigSchema,
};

export default config;
