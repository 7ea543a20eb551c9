import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

describe('a Redis client of ours', () => {
  it('does not hold the process when it was closed while its server was away', async () => {
    const file = fileURLToPath(new URL('./fixtures/closes.ts', import.meta.url));
    await expect(
      promisify(execFile)(process.execPath, ['--import', import.meta.resolve('tsx'), file]),
    ).resolves.toBeDefined();
  });
});
