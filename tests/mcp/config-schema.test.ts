import { mcpConfigSchema } from '@safla/sdk/mcp';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';

describe('the schema that editors read', () => {
  it('takes a file that names it by $schema, and refuses a misspelt key', () => {
    const validate = new Ajv2020({ strict: false }).compile(mcpConfigSchema);
    const $schema = './node_modules/@safla/sdk/dist/mcp/config.schema.json';
    expect(validate({ $schema, mcpServers: { a: { command: 'node' } } })).toBe(true);
    expect(validate({ $schema, mcpServers: { a: { comand: 'node' } } })).toBe(false);
  });
});
