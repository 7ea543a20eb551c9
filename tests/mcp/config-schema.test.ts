import { readFile } from 'node:fs/promises';
import { mcpConfigSchema } from '@safla/sdk/mcp';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';

const read = async (path: string): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(new URL(path, import.meta.url), 'utf8')) as Record<string, unknown>;

describe('the schema file for editors', () => {
  it('says what mcpConfigSchema says (tests/mcp/support/write-config-schema.ts writes it anew)', async () => {
    const file = await read('../../src/mcp/config/mcp-config.schema.json');
    expect(file).toEqual(JSON.parse(JSON.stringify(mcpConfigSchema)));
  });

  it('takes a file that names it by $schema, and refuses a misspelt key', async () => {
    const validate = new Ajv2020({ strict: false }).compile(await read('../../src/mcp/config/mcp-config.schema.json'));
    const $schema = './node_modules/@safla/sdk/dist/mcp/config.schema.json';
    expect(validate({ $schema, mcpServers: { a: { command: 'node' } } })).toBe(true);
    expect(validate({ $schema, mcpServers: { a: { comand: 'node' } } })).toBe(false);
  });
});
