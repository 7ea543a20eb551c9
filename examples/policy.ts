/** A policy around a target that fails now and then: retries, then an open circuit, then recovery. */
import assert from 'node:assert/strict';
import { CircuitOpenError, ConnectionError, policy } from '@safla/sdk';

let down = true;
let calls = 0;
const target = async (): Promise<string> => {
  calls += 1;
  if (down) throw new ConnectionError('connection refused');
  return 'answer';
};

const careful = policy({
  retry: { maxRetries: 1, baseDelayMs: 5 },
  breaker: { minimumCalls: 6, openMs: 50 },
});

const outcomes: string[] = [];
for (let i = 0; i < 5; i++) {
  try {
    outcomes.push(await careful.execute(target, { key: 'target' }));
  } catch (error) {
    outcomes.push(error instanceof CircuitOpenError ? 'refused' : 'failed');
  }
}
console.log(`outage:   ${outcomes.join(', ')} (${calls} calls reached the target)`);
assert.deepEqual(outcomes, ['failed', 'failed', 'failed', 'refused', 'refused']);
assert.equal(calls, 6);

down = false;
await new Promise((resolve) => setTimeout(resolve, 60));
console.log(`recovery: ${await careful.execute(target, { key: 'target' })}, circuit ${careful.circuit('target')}`);
assert.equal(careful.circuit('target'), 'closed');
