/** A worker in a process of its own, to be killed. */
import { AgentPool } from '@safla/sdk/agents';
import { AgentWorker } from '@safla/sdk/agents/bullmq';
import { SleepyAgent } from './sleepy-agent.js';

const [url = '', queue = ''] = process.argv.slice(2);
const worker = new AgentWorker(new AgentPool([new SleepyAgent()]), { url, queue, deadAfterMs: 1_000 });
await worker.start();
process.stdout.write('ready\n');
