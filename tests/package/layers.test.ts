import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const project = mkdtempSync(join(tmpdir(), 'safla-layers-'));

/** What the repository's linter settings say of one file that imports one module. */
function lint(path: string, module: string): Promise<string> {
  const settings = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8')) as object;
  writeFileSync(join(project, 'biome.json'), JSON.stringify({ ...settings, $schema: undefined, vcs: undefined }));
  const file = join(project, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `import { x } from '${module}';\n\nx();\n`);
  return new Promise((resolve) => {
    const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
    execFile(process.execPath, [biome, 'lint', path], { cwd: project }, (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    );
  });
}

describe('layers', () => {
  afterAll(() => rmSync(project, { recursive: true, force: true }));

  it.each([
    ['core imports resilience', 'src/core/a.ts', '../resilience/index.js'],
    ['one integration imports another', 'src/api/a.ts', '../memory/index.js'],
    ['an integration imports mcp', 'src/events/a.ts', '../mcp/index.js'],
    ['a driver imports an integration', 'src/drivers/http/a.ts', '../../api/index.js'],
    ['a driver package outside its folder', 'src/api/a.ts', 'undici'],
    ['the driver of another', 'src/drivers/redis/a.ts', 'undici'],
    ['the MCP packages outside mcp', 'src/api/a.ts', '@modelcontextprotocol/server'],
  ])('refuses: %s', async (_, path, module) => {
    expect(await lint(path, module)).toContain('noRestrictedImports');
  });

  it.each([
    ['src/api/a.ts', '../drivers/http/index.js'],
    ['src/mcp/a.ts', '../api/index.js'],
    ['src/drivers/http/a.ts', 'undici'],
  ])('%s may import %s', async (path, module) => {
    expect(await lint(path, module)).toMatch(/Checked 1 file/);
    expect(await lint(path, module)).not.toContain('noRestrictedImports');
  });
});
