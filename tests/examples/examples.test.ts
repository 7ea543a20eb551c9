import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { needServices, root, runExample } from './run-example.js';

/** They have tests of their own: one is the tour, the others need services. */
const elsewhere: readonly string[] = ['quickstart.ts', ...needServices];
const examples = readdirSync(join(root, 'examples')).filter(
  (name) => name.endsWith('.ts') && !elsewhere.includes(name),
);
/** Servers that wait for a client on stdin: without one they end at once. */
const servers = readdirSync(join(root, 'examples/servers')).filter((name) => name !== 'assistant-server.ts');

describe('examples', () => {
  it.each([...examples, ...servers.map((name) => join('servers', name))])(
    '%s checks itself, ends and leaves no process',
    async (name) => {
      const { code, stderr, left } = await runExample(join('examples', name));
      expect(stderr).toBe('');
      expect(code).toBe(0);
      expect(left).toEqual([]);
    },
  );
});
