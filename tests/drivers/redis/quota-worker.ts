import { SharedLimiter } from '../../../src/drivers/redis/index.js';

/** Takes as many turns as it gets for some intervals after its first, ten at a time, and prints how many that were. */
const [url = '', key = '', limit, intervalMs, periods] = process.argv.slice(2);
const limiter = new SharedLimiter({
  url,
  key,
  limit: Number(limit),
  intervalMs: Number(intervalMs),
  // Four processes start at once: a busy machine must not end one.
  commandTimeoutMs: 30_000,
});
let turns = 0;
let until = Number.POSITIVE_INFINITY;
const caller = async (): Promise<void> => {
  while (Date.now() < until) {
    await limiter.acquire();
    turns += 1;
    until = Math.min(until, Date.now() + (Number(periods) + 0.5) * Number(intervalMs));
  }
};
await Promise.all(Array.from({ length: 10 }, caller));
await limiter.close();
process.stdout.write(String(turns));
