/** Writes the schema file for editors anew: `npx tsx tests/mcp/support/write-config-schema.ts`, then format it. */
import { writeFile } from 'node:fs/promises';
import { mcpConfigSchema } from '@safla/sdk/mcp';

const file = new URL('../../../src/mcp/config/mcp-config.schema.json', import.meta.url);
await writeFile(file, `${JSON.stringify(mcpConfigSchema, null, 2)}\n`);
