import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/**
 * Every entry point and what stands beside it. A change here is a change of the public surface: it
 * belongs in CHANGELOG.md and in the reports under etc/.
 */
const entries: Readonly<Record<string, { readonly page: string; readonly examples: readonly string[] }>> = {
  '.': { page: 'README.md', examples: ['quickstart.ts'] },
  './core': { page: 'docs/core.md', examples: ['context-and-errors.ts'] },
  './resilience': { page: 'docs/resilience.md', examples: ['policy.ts'] },
  './api': {
    page: 'docs/api.md',
    examples: ['rest-api.ts', 'rest-cache.ts', 'rest-pagination.ts', 'openapi-operations.ts', 'shared-quota.ts'],
  },
  './graphql': { page: 'docs/graphql.md', examples: ['graphql.ts', 'graphql-subscriptions.ts'] },
  './websocket': {
    page: 'docs/websocket.md',
    examples: ['websocket-live-feed.ts', 'websocket-request.ts', 'websocket-own-codec.ts'],
  },
  './database': { page: 'docs/database.md', examples: ['database.ts', 'database-migrations.ts', 'database-mongo.ts'] },
  './events': { page: 'docs/events.md', examples: ['events-in-process.ts', 'events-on-redis.ts', 'outbox.ts'] },
  './events/jetstream': { page: 'docs/events.md', examples: ['events-jetstream.ts'] },
  './security': { page: 'docs/security.md', examples: ['login-with-refresh.ts'] },
  './encryption': {
    page: 'docs/encryption.md',
    examples: ['encrypt-fields.ts', 'encrypt-large-file.ts', 'key-providers.ts'],
  },
  './memory': {
    page: 'docs/memory.md',
    examples: ['remember-and-find.ts', 'memory-for-agents.ts', 'memory-in-postgres.ts'],
  },
  './memory/zvec': { page: 'docs/memory.md', examples: ['memory-in-zvec.ts'] },
  './agents': {
    page: 'docs/agents.md',
    examples: ['agent-own.ts', 'agent-pool.ts', 'agent-human-decision.ts'],
  },
  './agents/bullmq': { page: 'docs/agents.md', examples: ['agent-fleet.ts'] },
  './analysis': { page: 'docs/analysis.md', examples: ['analysis-of-a-csv.ts', 'forecast-methods.ts'] },
  './mcp': {
    page: 'docs/mcp.md',
    examples: ['mcp-server-in-15-lines.ts', 'mcp-host.ts', 'mcp-tools.ts', 'servers/assistant-server.ts'],
  },
  './testing': { page: 'docs/testing.md', examples: ['services-for-tests.ts', 'test-your-service.ts'] },
  './testing/vitest': { page: 'docs/testing.md', examples: ['services-for-tests.ts'] },
};

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const exists = (path: string): boolean => existsSync(new URL(`../../${path}`, import.meta.url));
const manifest = JSON.parse(read('package.json')) as {
  readonly exports: Record<string, { readonly types: string; readonly default: string } | string>;
};

describe('export map', () => {
  it('has exactly the entries listed here, with package.json and the schema of configs', () => {
    const files = ['./package.json', './mcp/config.schema.json'];
    expect(Object.keys(manifest.exports).sort()).toEqual([...Object.keys(entries), ...files].sort());
  });

  it.each(Object.entries(entries))(
    '%s has source, declarations, page, examples and an API report',
    (name, { page, examples }) => {
      const target = manifest.exports[name];
      if (typeof target !== 'object') throw new Error(`${name} is not an object with types and default`);
      expect(Object.keys(target)).toEqual(['types', 'default']);
      expect(target.types).toBe(target.default.replace(/\.js$/, '.d.ts'));
      expect(exists(target.default.replace('./dist/', 'src/').replace(/\.js$/, '.ts'))).toBe(true);
      expect(exists(page), page).toBe(true);
      for (const example of examples) expect(exists(`examples/${example}`), example).toBe(true);
      expect(exists(`etc/${name === '.' ? 'sdk' : name.slice(2).replaceAll('/', '-')}.api.md`)).toBe(true);
    },
  );

  it('names every entry but the runner and test ones in the root', async () => {
    const root = await import('@safla/sdk');
    for (const name of [
      'core',
      'resilience',
      'api',
      'graphql',
      'websocket',
      'database',
      'events',
      'security',
      'encryption',
      'memory',
      'analysis',
      'agents',
      'mcp',
    ]) {
      const entry = (await import(`../../src/${name}/index.ts`)) as object;
      expect(Object.keys(root), name).toEqual(expect.arrayContaining(Object.keys(entry)));
    }
  });
});
