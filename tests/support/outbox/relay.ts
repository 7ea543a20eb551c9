/** Does nothing but relay, until it is killed. */
import { PostgresDatabase } from '@safla/sdk/database';
import { EventStream, Outbox, redisStreams } from '@safla/sdk/events';
import { crashSettings } from './crash-settings.js';

const { postgres, redis, prefix } = crashSettings();
const db = new PostgresDatabase({ url: postgres });
const transport = redisStreams({ url: redis, prefix });
const events = new EventStream({ transport, dedupe: { windowMs: 3_600_000 } });
const options = { batchSize: 20, pollMs: 10, publishTimeoutMs: 2_000, backoff: { baseDelayMs: 20 } };
new Outbox({ db, events, ...options }).start();
// The relay itself keeps no process alive.
setInterval(() => undefined, 60_000);
