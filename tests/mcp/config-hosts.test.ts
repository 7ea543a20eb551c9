// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of a config are written that way
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type InputDefinition, loadMCPConfig, MCPHost, mcpConfigSchema } from '@safla/sdk/mcp';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { parse } from 'jsonc-parser';
import { describe, expect, it } from 'vitest';

const folder = fileURLToPath(new URL('./fixtures/configs', import.meta.url));
const at = (name: string): string => join(folder, name);
const secrets = {
  API_KEY: 'canary-api',
  PLAYWRIGHT_TOKEN: 'canary-play',
  VSCODE_TEST_TOKEN: 'canary-code',
  REMOTE_KEY: 'canary-remote',
};

describe('configs as their hosts write them', () => {
  it('of Claude Desktop are read', async () => {
    const { servers, ignored } = await loadMCPConfig(at('claude_desktop_config.json'), { env: {} });
    expect(servers).toMatchObject({
      filesystem: {
        type: 'stdio',
        command: 'npx',
        args: ['-y', '@modelcontextprotocol/server-filesystem', '/Users/ann/Desktop', '/Users/ann/Downloads'],
      },
      'brave-search': { command: 'docker', env: { BRAVE_API_KEY: 'canary-literal-key' } },
    });
    expect(ignored).toBeUndefined();
  });

  it('of Claude Code are read, with what has no meaning here named', async () => {
    const { servers, ignored } = await loadMCPConfig(at('claude-code.mcp.json'), { env: secrets });
    expect(servers).toMatchObject({
      db: {
        args: ['-y', '@bytebase/dbhub', '--dsn', 'postgres://localhost/app'],
        env: { CACHE_DIR: '/tmp' },
        timeout: 600_000,
      },
      api: { type: 'http', url: 'https://api.example.com/mcp', headers: { Authorization: 'Bearer canary-api' } },
      events: { type: 'sse', headers: { 'X-API-Key': 'canary-api' } },
    });
    expect(ignored).toEqual(['mcpServers.db.alwaysLoad', 'mcpServers.api.oauth', 'mcpServers.events.headersHelper']);
    expect(new MCPHost({ servers, ...(ignored && { ignored }) }).servers).toEqual(['db', 'api', 'events']);
  });

  it('of VS Code are read: comments, inputs with defaults, numbers, null, envFile and its own variables', async () => {
    const asked: (InputDefinition | undefined)[] = [];
    const { servers, ignored } = await loadMCPConfig(at('.vscode/mcp.json'), {
      env: secrets,
      inputs: (id, definition) => {
        asked.push(definition);
        return id === 'perplexity-key' ? 'typed-canary' : undefined;
      },
    });
    expect(servers.perplexity).toMatchObject({
      env: { PERPLEXITY_API_KEY: 'typed-canary', REGION: 'eu', PORT: '8080' },
      secrets: expect.arrayContaining(['typed-canary']),
    });
    expect((servers.perplexity as { env: object }).env).not.toHaveProperty('PROXY');
    expect(asked[0]).toEqual({
      type: 'promptString',
      id: 'perplexity-key',
      description: 'Perplexity API Key',
      password: true,
    });
    expect(servers.files).toMatchObject({
      args: [`${folder}/servers${sep}files.js`, homedir(), 'configs'],
      cwd: folder,
      env: { LEVEL: 'debug', FROM_FILE: 'canary from a file', TOKEN: 'canary-code' },
      secrets: expect.arrayContaining(['canary from a file', 'canary-code']),
    });
    expect(servers.github).toMatchObject({ type: 'http', url: 'https://api.githubcopilot.com/mcp/' });
    expect(ignored).toEqual(
      ['files.dev', 'files.sandboxEnabled', 'github.gallery', 'github.version'].map((key) => `servers.${key}`),
    );
  });

  it('of Copilot and Cursor are read', async () => {
    const copilot = await loadMCPConfig(at('copilot-mcp-config.json'), { env: secrets });
    expect(copilot.servers).toMatchObject({
      playwright: { type: 'stdio', tools: ['*'], env: { PLAYWRIGHT_TOKEN: 'canary-play' } },
      context7: {
        type: 'http',
        headers: { CONTEXT7_API_KEY: 'none' },
        tools: ['get-library-docs', 'resolve-library-id'],
      },
      old: { type: 'sse' },
    });
    const cursor = await loadMCPConfig(at('cursor.mcp.json'), { env: secrets });
    expect(cursor.servers).toMatchObject({
      tools: { args: [`${folder}/tools.js`], env: { LEVEL: 'info' } },
      remote: { type: 'http', headers: { Authorization: 'Bearer canary-remote' } },
    });
  });

  it('name every unset variable of a file in one error, without any value', async () => {
    const error = await loadMCPConfig(at('.vscode/mcp.json'), { env: {} }).catch((reason: unknown) => reason);
    expect(String(error)).toContain("servers.perplexity.env.PERPLEXITY_API_KEY needs the input 'perplexity-key'");
    expect(String(error)).toContain('servers.files.env.TOKEN needs the variable VSCODE_TEST_TOKEN');
    expect(String(error)).not.toContain('canary');
  });
});

describe('an envFile', () => {
  it('that cannot be read is told with its place, not its path', async () => {
    const text =
      '{"servers": {"a": {"command": "x", "envFile": "${DIR}/none"}, "b": {"command": "x", "envFile": "${DIR}"}}}';
    const error = await loadMCPConfig(text, { env: { DIR: folder } }).catch((reason: unknown) => reason);
    expect(String(error)).toContain('servers.a.envFile names a file that is of no use: there is no such file');
    expect(String(error)).toContain('servers.b.envFile names a file that is of no use: it is a directory, not a file');
    expect(String(error)).not.toContain(folder);
  });
});

describe('numbers', () => {
  it('are taken from JSON, where a whole number has one form, and refused in YAML', async () => {
    const json = '{"servers": {"a": {"command": "x", "env": {"A": 8080, "B": -1}}}}';
    expect((await loadMCPConfig(json)).servers.a).toMatchObject({ env: { A: '8080', B: '-1' } });
    await expect(loadMCPConfig('{"servers": {"a": {"command": "x", "env": {"A": 1.10}}}}')).rejects.toThrow(
      /put it in quotes/,
    );
    await expect(loadMCPConfig('servers:\n  a: { command: x, env: { A: 0x10 } }')).rejects.toThrow(/put it in quotes/);
    await expect(loadMCPConfig('servers:\n  a: { command: x, env: { A: } }')).rejects.toThrow(
      /servers.a.env.A must be a text/,
    );
  });
});

describe('an input', () => {
  it('that is used twice is asked for once', async () => {
    let asked = 0;
    const text = '{"servers": {"a": {"command": "x", "args": ["${input:k}"], "env": {"K": "${input:k}"}}}}';
    const { servers } = await loadMCPConfig(text, { inputs: async () => `typed ${++asked}` });
    expect(servers.a).toMatchObject({ args: ['typed 1'], env: { K: 'typed 1' } });
    expect(asked).toBe(1);
  });
});

describe('predefined variables', () => {
  it('give way to the environment, count as no secret, and can be set', async () => {
    const text = '{"servers": {"a": {"command": "x", "args": ["${workspaceFolder}", "${env:workspaceFolder:-none}"]}}}';
    expect((await loadMCPConfig(text, { env: {}, workspace: '/w' })).servers.a).toEqual({
      type: 'stdio',
      command: 'x',
      args: ['/w', 'none'],
      env: {},
      shown: 'x ${workspaceFolder} ${env:workspaceFolder:-none}',
    });
    const { servers } = await loadMCPConfig(text, { env: { workspaceFolder: '/e' }, workspace: '/w' });
    expect(servers.a).toMatchObject({ args: ['/e', '/e'] });
  });
});

describe('the JSON Schema of configs', () => {
  const validate = new Ajv2020({
    strict: true,
    strictRequired: false,
    strictTypes: false,
    allowUnionTypes: true,
  }).compile(mcpConfigSchema);
  const schemaTakes = (value: unknown): boolean => validate(value) as boolean;

  it.each([
    'claude_desktop_config.json',
    'claude-code.mcp.json',
    '.vscode/mcp.json',
    'copilot-mcp-config.json',
    'cursor.mcp.json',
  ])('takes %s', async (name) => {
    expect(schemaTakes(parse(await readFile(at(name), 'utf8'))), JSON.stringify(validate.errors)).toBe(true);
  });

  it('and the loader take and refuse the same', async () => {
    const value = fc.oneof(
      fc.constantFrom('x', 'http', 'stdio', 'https://h/'),
      fc.integer(),
      fc.constant(null),
      fc.constant(['a']),
      fc.boolean(),
    );
    const key = fc.constantFrom(
      'type',
      'command',
      'args',
      'env',
      'url',
      'headers',
      'cwd',
      'tools',
      'disabled',
      'timeout',
      'dev',
      'comand',
    );
    const server = fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true });
    await fc.assert(
      fc.asyncProperty(server, fc.constantFrom('servers', 'mcpServers', 'server'), async (entry, top) => {
        const config = { [top]: { a: entry } };
        // A URL is judged by the loader alone.
        fc.pre(entry.url === undefined || entry.url === 'https://h/' || typeof entry.url !== 'string');
        // So is which kind of server it is when it could be both.
        fc.pre(!(entry.url !== undefined && entry.command !== undefined));
        const loaded = await loadMCPConfig(JSON.stringify(config), { env: {} }).then(
          () => true,
          () => false,
        );
        expect(schemaTakes(config), JSON.stringify(config)).toBe(loaded);
      }),
    );
  });
});

describe('texts that would hurt a reader', () => {
  it.each([
    ['deep JSON', `{"servers": ${'['.repeat(200_000)}`],
    ['deep YAML in brackets', `servers:\n  a: ${'['.repeat(1_000_000)}`],
    ['deep YAML in lists', `servers:\n${'  - - - - - '.repeat(50_000)}`],
    ['deep YAML by indentation', Array.from({ length: 1_400 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
    ['deep YAML in keys', `servers:\n  ${'? '.repeat(100_000)}`],
    ['a name that is a prototype', '{"servers": {"__proto__": {"command": "x"}}}'],
    ['an alias to nothing', 'servers:\n  a: *canary\n'],
  ])('%s is refused with a ConfigurationError that shows nothing of it', async (_, text) => {
    const error = await loadMCPConfig(text, { env: {} }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'CONFIGURATION' });
    expect((error as Error).message.length).toBeLessThan(200);
    expect(`${(error as Error).message}${String((error as Error).cause)}`).not.toContain('canary');
  });

  it('a byte order mark is skipped in JSON and in an envFile too', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'mcp-bom-'));
    try {
      await writeFile(join(dir, 'mcp.json'), '\uFEFF{"servers": {"a": {"command": "x", "envFile": "e"}}}');
      await writeFile(join(dir, 'e'), '\uFEFFFIRST=1\n');
      expect((await loadMCPConfig(join(dir, 'mcp.json'))).servers.a).toMatchObject({ env: { FIRST: '1' } });
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
