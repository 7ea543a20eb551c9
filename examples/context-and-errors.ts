/** One time budget and one correlation id over several calls, and errors a program can act on. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, policy, SaflaError, TimeoutError, withContext } from '@safla/sdk';
import { safeLogger } from '@safla/sdk/core';

const lines: string[] = [];
const sink: Logger = {
  debug: () => undefined,
  info: (facts, message) => lines.push(JSON.stringify({ ...facts, message })),
  warn: () => undefined,
  error: () => undefined,
};
const logger = safeLogger(sink, 'shop');
const shop = policy();

try {
  await withContext({ timeoutMs: 100, correlationId: 'order-7' }, async () => {
    logger.info({ step: 1, apiKey: 'never shown' }, 'reserve');
    await shop.execute(({ signal }) => sleep(10, undefined, { signal }));
    logger.info({ step: 2 }, 'charge');
    await shop.execute(({ signal }) => sleep(60_000, undefined, { signal }));
  });
} catch (error) {
  assert(SaflaError.is(error) && error instanceof TimeoutError);
  console.log(`${error.code}: ${error.message} (retryable: ${error.retryable})`);
}
for (const line of lines) console.log(line);
assert(lines.every((line) => line.includes('order-7') && !line.includes('never shown')));
