import { detach, openScope } from '../../core/index.js';
import { checkOptions, is } from '../../core/internal.js';
import { asTask } from '../server/as-task.js';
import { canPutQuestions, putQuestion } from './agent-questions.js';
import type { AgentSource, AgentTaskEvent, AgentTaskRequest, AgentTaskResult } from './agent-source.js';
import { checkSource } from './check-source.js';
import { defineTool } from './define-tool.js';
import { fromJSONSchema } from './from-json-schema.js';
import { readable } from './readable.js';
import { type BoardTask, TaskBoard } from './task-board.js';
import type { Tool, ToolContext } from './tool.js';
import { ToolError } from './tool-error.js';

/** Settings of {@link agentTools}. */
export interface AgentToolsOptions {
  /** Begins the tools' names. @default 'agent' */
  readonly name?: string;
  /** The types of tasks that may be given. @default any */
  readonly types?: readonly string[];
  /** Tasks that can be asked about at the same time; the oldest final one goes first. @default 1000 */
  readonly maxTasks?: number;
}

interface Request {
  readonly type: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly priority?: number;
}

const id = { type: 'string', minLength: 1, maxLength: 512, description: 'The id that the start gave' };
const acting = { readOnlyHint: false, destructiveHint: true, openWorldHint: true };

/**
 * Puts an agent or a pool of agents behind MCP. `agent_run` gives it a task and waits, telling progress;
 * cancelling the call cancels the task; clients that know the protocol's own tasks get a handle instead of
 * waiting. What the agent asks is put to the client's user, where the client can ask while the call waits;
 * elsewhere the task is left waiting for `agent_respond`. `agent_start` gives one that outlives the call, and `agent_task`,
 * `agent_respond` and `agent_cancel` ask about it, answer its questions and end it. A task is known only to
 * the principal that started it.
 *
 * @example tools: [agentTools(pool, { types: ['summarize', 'translate'] })]
 */
export function agentTools(agents: AgentSource, options: AgentToolsOptions = {}): Tool[] {
  checkSource('agentTools', agents, ['submit'], 'an Agent or an AgentPool');
  checkOptions<AgentToolsOptions>('agentTools', options, { name: is.text, types: is.list, maxTasks: is.count });
  const { name = 'agent', types, maxTasks = 1_000 } = options;
  const board = new TaskBoard(maxTasks);
  const request = fromJSONSchema<Request>({
    type: 'object',
    properties: {
      type: { type: 'string', minLength: 1, ...(types ? { enum: types } : {}), description: 'The kind of work' },
      parameters: { type: 'object', description: 'What the work is about' },
      priority: { type: 'number', description: 'Higher ones run first' },
    },
    required: ['type'],
    additionalProperties: false,
  });
  return [
    asTask(
      defineTool(
        {
          name: `${name}_run`,
          description:
            'Give an agent a task and wait for what it makes. What it asks is put to the user, or left open.',
          input: request,
          annotations: acting,
        },
        (args, context) => run(agents, board, args, context),
      ),
    ),
    defineTool(
      {
        name: `${name}_start`,
        description: `Give an agent a task without waiting for it; ask for it with ${name}_task`,
        input: request,
        annotations: acting,
      },
      (args, { principal }) =>
        readable(['VALIDATION'], async () => {
          board.assertRoom();
          const task = detach(() => board.add(agents.submit(taskOf(args)), principal));
          return stateOf(task);
        }),
    ),
    taskTool(board, name),
    respondTool(board, name),
    cancelTool(board, name),
  ];
}

async function run(agents: AgentSource, board: TaskBoard, args: Request, context: ToolContext): Promise<object> {
  board.assertRoom();
  let ask = (): void => undefined;
  const onEvent = (event: AgentTaskEvent): void => {
    if (event.type === 'progress') void context.progress(event.progress ?? 0, event.total, event.message);
    if (event.state === 'input-required') ask();
  };
  // Outside of the call's context: a task that asks something outlives the call.
  const task = await readable(['VALIDATION'], async () =>
    detach(() => board.add(agents.submit(taskOf(args)), context.principal, onEvent)),
  );
  const cancel = (): void => task.handle.cancel(context.signal.reason);
  context.signal.addEventListener('abort', cancel, { once: true });
  try {
    let result: AgentTaskResult | undefined;
    let put: string | undefined;
    while (!result) {
      const { question } = task;
      if (question && question.id !== put) {
        if (!canPutQuestions(context)) return stateOf(task);
        put = question.id;
        const answering = putQuestion(task, question, context).then(() => undefined);
        result = await Promise.race([task.handle.result, answering]);
      } else {
        const asked = new Promise<undefined>((resolve) => {
          ask = () => resolve(undefined);
        });
        result = await Promise.race([task.handle.result, asked]);
      }
    }
    board.remove(task);
    if (!result.success) throw new ToolError(`The task failed: ${result.error ?? 'the agent gave no reason'}`);
    return { id: task.handle.id, state: 'completed', data: result.data ?? null, metadata: result.metadata };
  } finally {
    context.signal.removeEventListener('abort', cancel);
  }
}

function taskTool(board: TaskBoard, name: string): Tool {
  return defineTool(
    {
      name: `${name}_task`,
      description:
        'How a task is that was started: its state, progress, open question, and its result once there is one',
      input: fromJSONSchema<{ id: string; waitMs?: number }>({
        type: 'object',
        properties: {
          id,
          waitMs: {
            type: 'integer',
            minimum: 0,
            maximum: 55_000,
            default: 0,
            description: 'How long to wait for its end',
          },
        },
        required: ['id'],
        additionalProperties: false,
      }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    async (args, { principal }) => {
      const task = board.find(args.id, principal);
      if (args.waitMs) {
        using scope = openScope('the end of a task');
        await Promise.race([task.handle.result, scope.sleep(args.waitMs)]);
      }
      return stateOf(task);
    },
  );
}

function respondTool(board: TaskBoard, name: string): Tool {
  return defineTool(
    {
      name: `${name}_respond`,
      description: 'Answer what a task asks',
      input: fromJSONSchema<{ id: string; answer: unknown; questionId?: string }>({
        type: 'object',
        properties: { id, answer: { description: 'Any JSON value' }, questionId: { type: 'string', minLength: 1 } },
        required: ['id', 'answer'],
        additionalProperties: false,
      }),
      annotations: acting,
    },
    (args, { principal }) =>
      readable(['VALIDATION', 'NOT_FOUND'], async () => {
        const { handle } = board.find(args.id, principal);
        await handle.respond(args.answer, args.questionId === undefined ? {} : { questionId: args.questionId });
        return { id: args.id, answered: true };
      }),
  );
}

function cancelTool(board: TaskBoard, name: string): Tool {
  return defineTool(
    {
      name: `${name}_cancel`,
      description: 'Cancel a task that was started. Nothing happens when it has ended.',
      input: fromJSONSchema<{ id: string }>({
        type: 'object',
        properties: { id },
        required: ['id'],
        additionalProperties: false,
      }),
      annotations: { ...acting, idempotentHint: true },
    },
    async (args, { principal }) => {
      const task = board.find(args.id, principal);
      task.handle.cancel('cancelled by the caller');
      task.result ??= await task.handle.result;
      return stateOf(task);
    },
  );
}

function taskOf({ type, parameters = {}, priority }: Request): AgentTaskRequest {
  return { type, parameters, ...(priority === undefined ? {} : { priority }) };
}

function stateOf({ handle, progress, question, result }: BoardTask): object {
  return {
    id: handle.id,
    state: handle.state,
    ...(progress ? { progress: { done: progress.progress, total: progress.total, message: progress.message } } : {}),
    ...(question ? { question } : {}),
    ...(result ? { result } : {}),
  };
}
