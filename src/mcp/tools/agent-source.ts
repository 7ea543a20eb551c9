/** What happens to a task; of `@safla/sdk/agents`, the events with these types. */
export interface AgentTaskEvent {
  readonly type: string;
  readonly state?: string;
  readonly question?: { readonly id: string; readonly prompt: unknown };
  readonly progress?: number;
  readonly total?: number;
  readonly message?: string;
}

/** How a task ended. */
export interface AgentTaskResult {
  readonly success: boolean;
  readonly data?: unknown;
  readonly error?: string;
  readonly metadata: object;
}

/** A task that was submitted. */
export interface AgentTaskHandle {
  readonly id: string;
  readonly state: string;
  /** Never rejects. */
  readonly result: Promise<AgentTaskResult>;
  readonly events: AsyncIterable<AgentTaskEvent>;
  cancel(reason?: unknown): void;
  respond(answer: unknown, options?: { readonly questionId?: string }): Promise<void>;
}

/** A task as a caller writes it. */
export interface AgentTaskRequest {
  readonly type: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly priority?: number;
}

/** What {@link agentTools} needs of an `Agent` or an `AgentPool`. */
export interface AgentSource {
  submit(task: AgentTaskRequest): AgentTaskHandle;
}
