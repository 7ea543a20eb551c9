export { Agent, type AgentEvents, type AgentStatus } from './agent.js';
export { AgentCapabilities, type AgentCapability } from './agent-capabilities.js';
export type { AgentCloseOptions } from './agent-close-options.js';
export type { AgentMemory, RememberedItem } from './agent-memory.js';
export type { AgentOptions } from './agent-options.js';
export { AgentPool, type AgentPoolOptions, type AnyAgent } from './agent-pool.js';
export type { AgentTools, ToolCaller, ToolFunction } from './agent-tools.js';
export { AnalysisAgent, type AnalysisAnswer, type AnalysisRequest } from './analysis-agent.js';
export { type ConsumeTasksOptions, consumeTasks, type TaskOutcome } from './consume-tasks.js';
export { TaskCanceledError } from './errors/task-canceled-error.js';
export { TaskFailedError } from './errors/task-failed-error.js';
export { TaskRejectedError, type TaskRejection } from './errors/task-rejected-error.js';
export type {
  EventConsumerSettings,
  EventSubscription,
  IncomingEvent,
  TaskEventSource,
  TaskEventStream,
} from './event-source.js';
export { type MemoryUpdate, type RememberOptions, rememberFrom } from './remember-from.js';
export {
  type FinalTaskState,
  isFinalTaskState,
  type Task,
  type TaskDraft,
  type TaskMetadata,
  type TaskResult,
  type TaskState,
} from './task.js';
export type { AskOptions, DelegateOptions, TaskContext } from './task-context.js';
export type { TaskEvent, TaskProgress, TaskQuestion } from './task-event.js';
export type { RespondOptions, SubmitOptions, TaskHandle, TaskSubmitter } from './task-handle.js';
