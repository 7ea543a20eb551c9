import { SaflaError } from '../../core/index.js';
import { fromJSONSchema } from './from-json-schema.js';
import type { BoardTask } from './task-board.js';
import type { ToolContext } from './tool.js';
import { ToolError } from './tool-error.js';

type Question = NonNullable<BoardTask['question']>;

/** How often a question is asked again when the agent cannot take the answer. */
const maxAttempts = 3;

const form = fromJSONSchema<{ answer: string }>({
  type: 'object',
  properties: { answer: { type: 'string', title: 'Answer' } },
  required: ['answer'],
});

/**
 * Whether the user can be asked while the call waits. Where a question is the answer of the call
 * instead, the handler would begin the agent's work anew.
 */
export function canPutQuestions({ asksInPlace, client }: ToolContext): boolean {
  const modes = client.capabilities.elicitation as Readonly<Record<string, unknown>> | undefined;
  return asksInPlace && modes !== undefined && (modes.form !== undefined || modes.url === undefined);
}

/**
 * Puts what an agent asks to the client's user, and hands the agent the answer: as text, or as the JSON
 * value that the text is where the agent takes no text. A user who does not want to answer cancels the task.
 *
 * @throws ToolError when the agent takes none of the answers
 */
export async function putQuestion(
  { handle }: BoardTask,
  { id, prompt }: Question,
  context: ToolContext,
): Promise<void> {
  let complaint = '';
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const reply = await context.ask({ message: complaint + toText(prompt), schema: form });
    if (reply.action !== 'accept') return handle.cancel(`the user chose '${reply.action}' when asked`);
    const problem = await respond(handle, id, reply.content.answer);
    if (problem === undefined) return;
    complaint = `${problem}\n\n`;
  }
  throw new ToolError(`The agent could not take the answer: ${complaint.trim()}`);
}

/** @returns what is wrong with the answer; undefined when it was taken, or is not asked for any more */
async function respond(handle: BoardTask['handle'], questionId: string, answer: string): Promise<string | undefined> {
  let problem: string | undefined;
  for (const value of [answer, ...jsonOf(answer)]) {
    try {
      await handle.respond(value, { questionId });
      return undefined;
    } catch (error) {
      if (!SaflaError.is(error)) throw error;
      if (error.code === 'NOT_FOUND') return undefined;
      if (error.code !== 'VALIDATION') throw error;
      problem ??= error.message;
    }
  }
  return problem;
}

function jsonOf(text: string): unknown[] {
  try {
    return [JSON.parse(text) as unknown];
  } catch {
    return [];
  }
}

/** An agent asks by a text, or by whatever its host's screen shows. */
function toText(prompt: unknown): string {
  if (typeof prompt === 'string') return prompt;
  const { message } = Object(prompt) as { readonly message?: unknown };
  return typeof message === 'string' ? message : JSON.stringify(prompt);
}
