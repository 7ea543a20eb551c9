/** The parts of the npm package http-cache-tests that are used; it has no types of its own. */
declare module 'http-cache-tests/tests/index.mjs' {
  interface CacheTest {
    readonly id: string;
    readonly kind?: 'required' | 'optimal' | 'check';
    readonly browser_only?: boolean;
  }
  const suites: readonly { readonly id: string; readonly tests: readonly CacheTest[] }[];
  // biome-ignore lint/style/noDefaultExport: the package has one
  export default suites;
}

declare module 'http-cache-tests/client/runner.mjs' {
  export function runTests(suites: unknown, fetch: unknown, browserCache: boolean, base: string): Promise<void>;
  export function getResults(): Record<string, true | readonly [kind: string, message: string]>;
}

declare module 'http-cache-tests/server/*' {
  import type { IncomingMessage, ServerResponse } from 'node:http';
  // biome-ignore lint/style/noDefaultExport: the package has one
  export default function handle(path: string[], request: IncomingMessage, response: ServerResponse): void;
}
