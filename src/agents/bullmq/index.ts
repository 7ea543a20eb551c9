export type { RedisArgument, RedisClient } from '../../drivers/redis/index.js';
export { AgentFleet, type AgentFleetOptions, type FleetDeadLetter, type FleetTaskHandle } from './agent-fleet.js';
export { AgentWorker, type AgentWorkerOptions } from './agent-worker.js';
export type { FleetConnectionOptions } from './fleet-options.js';
