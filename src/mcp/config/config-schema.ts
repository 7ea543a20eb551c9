import { foreignKeys, httpTypes, sseTypes, stdioTypes } from './config-keys.js';

const texts = { type: 'array', items: { type: 'string' } };
const textMap = (of: object): object => ({ type: ['object', 'null'], additionalProperties: of });
const foreign = Object.fromEntries(foreignKeys.map((key) => [key, { description: 'Of another host; not used here.' }]));

const common = {
  tools: { ...texts, description: "The tools to offer, by the server's own names; * for all." },
  disabled: { type: 'boolean', default: false, description: 'Leaves the server out, unread.' },
  timeout: { type: 'number', exclusiveMinimum: 0, description: 'Longest time for one call, in milliseconds.' },
  ...foreign,
};

/**
 * JSON Schema (draft 2020-12) of the files that `loadMCPConfig` reads, for editors and checks. What only
 * the loader can know, such as a variable that is not set, is beyond it.
 *
 * @example await writeFile('mcp.schema.json', JSON.stringify(mcpConfigSchema));
 */
export const mcpConfigSchema: Readonly<Record<string, unknown>> = Object.freeze({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'MCP servers',
  type: 'object',
  properties: {
    $schema: { type: 'string' },
    servers: { $ref: '#/$defs/servers' },
    mcpServers: { $ref: '#/$defs/servers' },
    inputs: { type: 'array', description: 'What the variables of inputs ask for, as VS Code has it.' },
  },
  oneOf: [{ required: ['servers'] }, { required: ['mcpServers'] }],
  additionalProperties: false,
  $defs: {
    servers: {
      type: 'object',
      description: 'The servers by name. Variables are replaced in values, never in names.',
      additionalProperties: {
        if: { type: 'object', properties: { disabled: { const: true } }, required: ['disabled'] },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        then: true,
        else: { anyOf: [{ $ref: '#/$defs/stdio' }, { $ref: '#/$defs/http' }] },
      },
    },
    stdio: {
      type: 'object',
      description: 'A server that is started as a child process.',
      properties: {
        type: { enum: stdioTypes, default: 'stdio' },
        command: { type: 'string', minLength: 1, description: 'The program, found by PATH. There is no shell.' },
        args: texts,
        env: textMap({ type: ['string', 'integer', 'null'] }),
        envFile: { type: 'string', minLength: 1, description: 'A file of NAME=value lines; env comes before it.' },
        cwd: { type: 'string', minLength: 1 },
        ...common,
      },
      required: ['command'],
      additionalProperties: false,
    },
    http: {
      type: 'object',
      description: 'A server that is reached over HTTP.',
      properties: {
        type: { enum: [...httpTypes, ...sseTypes], default: 'http' },
        url: { type: 'string', minLength: 1 },
        headers: textMap({ type: ['string', 'integer', 'null'] }),
        ...common,
      },
      required: ['url'],
      additionalProperties: false,
    },
  },
});
