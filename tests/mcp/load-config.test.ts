// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of a config are written that way
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadMCPConfig, type ServerConfig } from '@safla/sdk/mcp';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/core/index.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-config-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function write(name: string, content: string | Uint8Array): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, content);
  return file;
}

async function refusal(source: string | URL, options = {}): Promise<ConfigurationError> {
  const error = await loadMCPConfig(source, { env: {}, ...options }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ConfigurationError);
  return error as ConfigurationError;
}

/** A config of one server with one argument, as every form of text can hold it. */
const withArgument = (text: string): string => JSON.stringify({ servers: { a: { command: 'x', args: [text] } } });

async function expand(text: string, options = {}): Promise<string | undefined> {
  const { servers } = await loadMCPConfig(withArgument(text), { env: {}, ...options });
  return (servers.a as Extract<ServerConfig, { command: string }>).args?.[0];
}

describe('loadMCPConfig', () => {
  it('reads the YAML of the integration guide', async () => {
    const file = await write(
      'mcp-server-config.yaml',
      [
        '# mcp-server-config.yaml',
        'servers:',
        '  custom-analysis:',
        '    command: "node"',
        '    args: ["dist/mcp-server-template.js"]',
        '    env:',
        '      LOG_LEVEL: "info"',
        '      CACHE_SIZE: "1000"',
        '  external-api:',
        '    command: "python"',
        '    args: ["-m", "external_api_server"]',
        '    env:',
        '      API_KEY: "${EXTERNAL_API_KEY}"',
        '      RATE_LIMIT: "100"',
      ].join('\n'),
    );
    const { servers } = await loadMCPConfig(file, { env: { EXTERNAL_API_KEY: 'k-1' } });
    expect(servers).toMatchObject({
      'custom-analysis': {
        command: 'node',
        args: ['dist/mcp-server-template.js'],
        env: { LOG_LEVEL: 'info', CACHE_SIZE: '1000' },
      },
      'external-api': { command: 'python', env: { API_KEY: 'k-1', RATE_LIMIT: '100' } },
    });
  });

  it('reads what Claude, VS Code and Copilot write', async () => {
    const claude = '{ "mcpServers": { "files": { "command": "npx", "args": ["-y", "server-files", "/tmp"] } } }';
    expect((await loadMCPConfig(claude)).servers.files).toMatchObject({ type: 'stdio', command: 'npx' });
    const code = `{
      // VS Code
      "inputs": [{ "id": "key", "type": "promptString", "password": true }],
      "servers": { "web": { "type": "http", "url": "https://mcp.example.com/mcp", "headers": { "Authorization": "Bearer \${input:key}" } }, },
    }`;
    expect((await loadMCPConfig(code, { inputs: { key: 'k' } })).servers.web).toEqual({
      type: 'http',
      url: 'https://mcp.example.com/mcp',
      headers: { Authorization: 'Bearer k' },
      secrets: ['k'],
    });
    const copilot = '{ "mcpServers": { "a": { "type": "local", "command": "x", "args": [], "tools": ["*"] } } }';
    expect((await loadMCPConfig(copilot)).servers.a).toMatchObject({ type: 'stdio', tools: ['*'] });
  });

  it('takes a path, a file URL, and text', async () => {
    const file = await write('plain.json', '{"servers":{"a":{"command":"x"}}}');
    for (const source of [file, pathToFileURL(file), 'servers:\n  a: { command: x }'])
      expect((await loadMCPConfig(source)).servers.a).toMatchObject({ command: 'x' });
  });

  it('reads past a byte order mark and leaves disabled servers out', async () => {
    const file = await write('bom.yaml', '\uFEFFservers:\n  a: { command: x }\n  b: { command: y, disabled: true }\n');
    expect(Object.keys((await loadMCPConfig(file)).servers)).toEqual(['a']);
  });

  it('keeps the command as the file has it, for messages', async () => {
    const { servers } = await loadMCPConfig(withArgument('--key=${KEY}'), { env: { KEY: 'secret' } });
    expect(servers.a).toMatchObject({ args: ['--key=secret'], shown: 'x --key=${KEY}' });
  });
});

describe('variables', () => {
  it.each([
    ['${A}', 'one'],
    ['<${A}|${B}>', '<one|two>'],
    ['${env:A}', 'one'],
    ['${NONE:-fallback}', 'fallback'],
    ['${env:NONE:-a:-b}', 'a:-b'],
    ['${EMPTY}', ''],
    ['${EMPTY:-fallback}', 'fallback'],
    ['${NONE:-}', ''],
    ['${input:token}', 'typed'],
    ['${input:other:-guess}', 'guess'],
    ['$${A}', '${A}'],
    ['$A $ {A} {A}', '$A $ {A} {A}'],
    ['${NESTED}', '${A}'],
  ])('%s becomes %j', async (text, expected) => {
    const env = { A: 'one', B: 'two', EMPTY: '', NESTED: '${A}' };
    expect(await expand(text, { env, inputs: { token: 'typed' } })).toBe(expected);
  });

  it('leave any text without a reference as it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), async (text) => {
        fc.pre(!text.includes('${'));
        expect(await expand(text)).toBe(text);
      }),
    );
  });

  it('put any value in unchanged, and never look into it again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string(), async (value, around) => {
        fc.pre(!around.includes('$') && !around.includes('{'));
        expect(await expand(`${around}\${A}${around}`, { env: { A: value } })).toBe(`${around}${value}${around}`);
      }),
    );
  });

  it('come from what the environment itself has', async () => {
    expect((await refusal(withArgument('${constructor}'))).message).toContain('needs the variable constructor');
  });

  it('of a server that is disabled need no value', async () => {
    const text = 'servers:\n  a: { command: x }\n  b: { command: "${NONE}", disabled: true }\n';
    expect(Object.keys((await loadMCPConfig(text, { env: {} })).servers)).toEqual(['a']);
  });

  it('whose input cannot be asked for are named, without what was thrown', async () => {
    const inputs = (): string => {
      throw new Error('canary');
    };
    const error = await refusal(withArgument('${input:pin}'), { inputs });
    expect(error.message).toContain("servers.a.args.0 needs the input 'pin', and asking for it failed");
    expect(error.message).not.toContain('canary');
  });

  it('ask for inputs by a function that may wait', async () => {
    const inputs = async (id: string): Promise<string> => `typed ${id}`;
    expect(await expand('${input:pin}', { inputs })).toBe('typed pin');
  });

  it('are not replaced in names', async () => {
    const { servers } = await loadMCPConfig('servers:\n  "${A}":\n    command: x\n    env: { "${A}": "${A}" }', {
      env: { A: 'v' },
    });
    expect(servers).toMatchObject({ '${A}': { env: { '${A}': 'v' } } });
  });

  it('that are unset are all in one error, with file and key', async () => {
    const file = await write(
      'unset.yaml',
      'servers:\n  a:\n    command: ${PROGRAM}\n    env:\n      KEY: ${SECRET}\n      PIN: ${input:pin}\n',
    );
    const error = await refusal(file);
    expect(error.message).toContain(`${file}: servers.a.command needs the variable PROGRAM`);
    expect(error.message).toContain('servers.a.env.KEY needs the variable SECRET');
    expect(error.message).toContain("servers.a.env.PIN needs the input 'pin'");
    expect(error.field).toBe('servers.a.command');
  });

  it.each(['${', '${A', '${}', '${A-B C}', '${file:x}'])('refuse %s', async (text) => {
    expect((await refusal(withArgument(text), { env: { A: 'x' } })).message).toContain('servers.a.args.0');
  });
});

describe('a config that is wrong', () => {
  it.each([
    ['YAML', 'servers:\n  a:\n   command: x\n  b: [canary\n', /^MCP config:\d+:\d+: not valid YAML/],
    ['JSON', '{\n  "servers": canary }', /^MCP config:2:\d+: not valid JSON/],
    [
      'a repeated key of JSON',
      '{"servers": {"a": {"command": "canary"},\n "a": {}}}',
      /^MCP config:2:2: .*duplicate key/,
    ],
    [
      'a repeated key',
      'servers:\n  a: { command: canary }\n  a: { command: y }\n',
      /^MCP config:3:3: not valid YAML \(duplicate key\)/,
    ],
  ])('%s is refused with file and line, and nothing of its text', async (_, text, message) => {
    const error = await refusal(text);
    expect(error.message).toMatch(message);
    expect(`${error.message}${error.cause}`).not.toContain('canary');
  });

  it.each([
    ['an unknown key', 'servers:\n  a: { comand: canary }\n', "servers.a.comand is not known; did you mean 'command'?"],
    [
      'an unknown key at the top',
      'server:\n  a: { command: canary }\n',
      "server is not known; did you mean 'servers'?",
    ],
    [
      'a number',
      'servers:\n  a: { command: x, env: { PIN: 1234 } }\n',
      'servers.a.env.PIN must be a text: put it in quotes',
    ],
    ['both kinds of list', '{"servers": {}, "mcpServers": {}}', "exactly one of 'servers' and 'mcpServers'"],
    ['a list', 'servers:\n  - command: x\n', 'servers must be a mapping'],
    ['no command', 'servers:\n  a: { args: [] }\n', 'servers.a.command is missing'],
    [
      'another transport',
      'servers:\n  a: { type: ws, url: "http://x" }\n',
      "servers.a.type must be 'stdio', 'http' or 'sse'",
    ],
    ['a time that is none', 'servers:\n  a: { command: x, timeout: 0 }\n', 'servers.a.timeout must be a number'],
    ['another scheme', 'servers:\n  a: { url: "file:///canary" }\n', 'servers.a.url must be an http or https URL'],
    ['nothing', '\n', 'must be a mapping'],
  ])('with %s says where and what to do', async (_, text, message) => {
    const error = await refusal(text);
    expect(error.message).toContain(message);
    expect(error.message).not.toContain('canary');
    expect(error.message).not.toContain('1234');
  });

  it('because the source or an option is none is refused', async () => {
    expect((await refusal(undefined as never)).message).toContain('source must be a path');
    expect((await refusal(new URL('http://x/mcp.yaml'))).message).toContain('got a URL of http:');
    expect((await refusal('x.yaml', { input: {} })).message).toContain("did you mean 'inputs'");
  });

  it('because aliases multiply is refused before it fills memory', async () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 10; i++)
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      );
    lines.push('servers: *a9');
    expect((await refusal(lines.join('\n'))).message).toContain('aliases expand to too much');
  });

  it('because it is not there, a directory, no text, or too large is refused', async () => {
    expect((await refusal(join(folder, 'missing.yaml'))).message).toContain('there is no such file');
    expect((await refusal(folder)).message).toContain('it is a directory');
    expect((await refusal(await write('binary.yaml', new Uint8Array([0xff, 0xfe, 0x00])))).message).toContain(
      'not UTF-8',
    );
    expect((await refusal(await write('large.yaml', 'x'.repeat(1_100_000)))).message).toContain('larger than');
  });

  it('never shows a value, whatever the text is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 40 }), fc.string({ maxLength: 40 }), async (before, after) => {
        const text = `servers:\n  a: ${before}\n    env: { KEY: 'canary-${after}' }\n${after}`;
        const error = await loadMCPConfig(text, { env: {} }).catch((reason: unknown) => reason);
        if (!(error instanceof Error)) return;
        expect(error).toBeInstanceOf(ConfigurationError);
        expect(error.message).not.toContain('canary');
      }),
    );
  });
});
