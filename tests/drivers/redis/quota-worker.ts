import { SharedLimiter } from '../../../src/drivers/redis/index.js';

/** Takes as many turns as it gets until the time is over, and prints how many that were. */
const [url = '', key = '', limit, intervalMs, untilMs] = process.argv.slice(2);
const limiter = new SharedLimiter({ url, key, limit: Number(limit), intervalMs: Number(intervalMs) });
let turns = 0;
while (Date.now() < Number(untilMs)) {
  await limiter.acquire();
  turns += 1;
}
await limiter.close();
process.stdout.write(String(turns));
