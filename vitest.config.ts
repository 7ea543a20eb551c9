import { fileURLToPath } from 'node:url';
import type { ViteUserConfig } from 'vitest/config';

const src = fileURLToPath(new URL('./src/', import.meta.url));

const config: ViteUserConfig = {
  resolve: {
    alias: [
      { find: /^@safla\/sdk$/, replacement: `${src}index.ts` },
      { find: /^@safla\/sdk\/testing\/vitest$/, replacement: `${src}testing/vitest.ts` },
      { find: /^@safla\/sdk\/(.+)$/, replacement: `${src}$1/index.ts` },
    ],
  },
  test: {
    include: ['tests/**/*.test.ts'],
    // Most tests wait for servers and clocks, not for processors.
    maxWorkers: 4,
    setupFiles: ['tests/support/properties.ts'],
    testTimeout: process.env.SAFLA_SOAK ? 900_000 : 30_000,
    hookTimeout: 60_000,
    typecheck: { enabled: false },
  },
};

export default config;
