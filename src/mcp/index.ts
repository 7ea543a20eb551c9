export { mcpConfigSchema } from './config/config-schema.js';
export type { InputDefinition } from './config/input-definition.js';
export { type LoadMCPConfigOptions, loadMCPConfig } from './config/load-mcp-config.js';
export type {
  CommonServerConfig,
  HTTPServerConfig,
  MCPConfig,
  ServerConfig,
  StdioServerConfig,
} from './config/mcp-config.js';
export type { MCPChange, MCPListKind, MCPWatchFilter } from './host/change-feed.js';
export type { MCPHostEvents } from './host/host-events.js';
export type { ConsentRequest } from './host/link.js';
export type {
  MCPAnswers,
  MCPFormQuestion,
  MCPModelQuestion,
  MCPPageQuestion,
  MCPQuestion,
} from './host/mcp-answers.js';
export { MCPClient } from './host/mcp-client.js';
export { MCPHost, type MCPHostOptions, type OfServer } from './host/mcp-host.js';
export { MCPTask } from './host/mcp-task.js';
export { MCPTaskCanceledError } from './host/mcp-task-canceled-error.js';
export type { MCPTaskView } from './host/mcp-task-view.js';
export { MCPWatch, type MCPWatchOptions } from './host/mcp-watch.js';
export type { RestartOptions } from './host/restart-plan.js';
export type {
  Completion,
  CompletionRequest,
  Progress,
  PromptInfo,
  ResourceInfo,
  ResourceTemplateInfo,
  ToolAnswer,
  ToolCallOptions,
  ToolInfo,
} from './host/types.js';
export { type APICallTarget, APIIntegrationMCPServer } from './server/api-integration-mcp-server.js';
export { asTask } from './server/as-task.js';
export type { Authorizer, TokenVerifier } from './server/authorize.js';
export type { CacheHint } from './server/cache-hint.js';
export { type CacheResultsOptions, cacheResults } from './server/cache-results.js';
export type { CallOutcome, ToolCallRecord, ToolStats } from './server/call-observer.js';
export type { CallerLimiter, CallerQuota } from './server/caller-limits.js';
export type { Completer, Completers } from './server/completion.js';
export type { EventMemoryOptions, MCPEventStore } from './server/event-store.js';
export type { Listening, ListenOptions } from './server/http-lane.js';
export type { SessionOptions } from './server/http-sessions.js';
export { MCPServer } from './server/mcp-server.js';
export type { FetchOptions, InMemoryOptions, MCPServerOptions } from './server/mcp-server-options.js';
export type { MessageNotifier, MessagePublisher, MessageSink, ResourceHolder } from './server/message-sink.js';
export { definePrompt, type Prompt, type PromptDefinition, type PromptMessage } from './server/prompt.js';
export type { Resource, ResourceContent, ResourceDefinition } from './server/resource.js';
export type { ResourceTemplate, TemplateVariables } from './server/resource-template.js';
export { type RunStdioOptions, runStdio } from './server/run-stdio.js';
export type { MCPTaskRecord, MCPTaskState, MCPTaskStatus, MCPTaskStore } from './server/task-state.js';
export type { ToolCall } from './server/tool-calls.js';
export type { MCPTaskOptions } from './server/tool-tasks.js';
export {
  type ForwardStats,
  type MessageSource,
  WebSocketMCPServer,
  type WebSocketMCPServerOptions,
} from './server/websocket-mcp-server.js';
export type {
  AgentSource,
  AgentTaskEvent,
  AgentTaskHandle,
  AgentTaskRequest,
  AgentTaskResult,
} from './tools/agent-source.js';
export { type AgentToolsOptions, agentTools } from './tools/agent-tools.js';
export { type AnalysisType, analysisTools } from './tools/analysis-tools.js';
export type { APIAnswer } from './tools/api-answer.js';
export { type APISource, apiTools } from './tools/api-tools.js';
export type {
  ClientRoot,
  ClientView,
  Conversation,
  FormQuestion,
  ModelMessage,
  ModelReply,
  ModelRequest,
  PageQuestion,
  PageReply,
  QuestionOptions,
  Reply,
} from './tools/conversation.js';
export {
  type DatabaseQuery,
  type DatabaseSource,
  type DatabaseToolsOptions,
  databaseTools,
} from './tools/database-tools.js';
export { defineTool } from './tools/define-tool.js';
export type {
  DocumentCollection,
  DocumentSource,
  DocumentToolsOptions,
  DocumentWrite,
} from './tools/document-tools.js';
export {
  type EventConsumerSource,
  type EventResourcesOptions,
  eventResources,
  type ResourceHost,
} from './tools/event-resources.js';
export {
  type EventBusSource,
  type EventMessage,
  type EventStreamSource,
  type EventToolsOptions,
  eventTools,
} from './tools/event-tools.js';
export { fromJSONSchema } from './tools/from-json-schema.js';
export {
  type GraphQLSource,
  type GraphQLToolsOptions,
  graphqlTools,
} from './tools/graphql-tools.js';
export { type MemoryEntry, type MemorySource, memoryTools } from './tools/memory-tools.js';
export type { APIOperationSource, OpenAPIToolsOptions } from './tools/openapi-tools.js';
export { type SearchableToolsOptions, searchableTools } from './tools/searchable-tools.js';
export type {
  AsTaskOptions,
  ContentBlock,
  LogLevel,
  Principal,
  ResourceContents,
  Tool,
  ToolAnnotations,
  ToolContext,
  ToolDefinition,
  ToolHandler,
  ToolResult,
  ToolReturn,
  ToolSchema,
} from './tools/tool.js';
export { ToolError } from './tools/tool-error.js';
export type { ToolSetOptions } from './tools/tool-set.js';
export { type UpstreamSource, type UpstreamToolsOptions, upstreamTools } from './tools/upstream-tools.js';
export { type WebSocketSource, websocketTools } from './tools/websocket-tools.js';
export type { WriteMethod } from './tools/write-method.js';
