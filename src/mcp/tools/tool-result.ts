import { whyNotJSON } from './not-json.js';
import type { ContentBlock, Tool, ToolResult } from './tool.js';
import { ToolError } from './tool-error.js';

const blockTypes = new Set(['text', 'image', 'audio', 'resource', 'resource_link']);
const resultKeys = new Set(['content', 'structuredContent', 'isError', '_meta']);

/**
 * Turns what a handler returned into an answer that is the server's own: what the handler does with the
 * value later does not reach it.
 *
 * @throws ToolError when the value cannot be sent as JSON, or takes more than `maxBytes` as it is sent
 */
export function toToolResult(tool: Tool, value: unknown, maxBytes: number): ToolResult {
  const subject = `Tool '${tool.name}'`;
  const texts = tool.output ? undefined : textsOf(value);
  if (texts) return fitting(subject, { content: texts.map(text) }, texts, maxBytes);
  const json = toJSON(tool, value);
  // What is too large already is not copied.
  if (json.length > maxBytes) checkSize(subject, json, maxBytes);
  const copy: unknown = JSON.parse(json);
  if (!isToolResult(copy))
    return fitting(subject, { content: [text(json)], structuredContent: copy }, [json], maxBytes);
  checkSize(subject, json, maxBytes);
  return copy;
}

/** An answer that tells the caller what went wrong. */
export function failedResult(message: string): ToolResult {
  return { content: [text(message)], isError: true };
}

/** True for an object that is an answer already, not a JSON value that happens to have a `content`. */
export function isToolResult(value: unknown): value is ToolResult {
  if (typeof value !== 'object' || value === null) return false;
  const { content } = value as { content?: unknown };
  return Array.isArray(content) && content.every(isBlock) && Object.keys(value).every((key) => resultKeys.has(key));
}

function isBlock(value: unknown): value is ContentBlock {
  return typeof value === 'object' && value !== null && blockTypes.has((value as { type?: string }).type ?? '');
}

function text(value: string): ContentBlock {
  return { type: 'text', text: value };
}

/** Of a text, or of an answer that is nothing but texts: what needs no way through JSON to be the server's own. */
function textsOf(value: unknown): readonly string[] | undefined {
  if (typeof value === 'string') return [value];
  if (!isPlain(value, 1) || !Array.isArray(value.content)) return undefined;
  const texts: string[] = [];
  for (const block of value.content) {
    if (!isPlain(block, 2) || block.type !== 'text' || typeof block.text !== 'string') return undefined;
    texts.push(block.text);
  }
  return texts;
}

function isPlain(value: unknown, size: number): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return false;
  return Object.keys(value).length === size;
}

function toJSON(tool: Tool, value: unknown): string {
  try {
    const json = JSON.stringify(value) as string | undefined;
    if (json !== undefined) return json;
  } catch (error) {
    throw new ToolError(
      `Tool '${tool.name}' returned a value that is not JSON: ${whyNotJSON(value) ?? 'its toJSON failed'}`,
      {
        cause: error,
      },
    );
  }
  throw new ToolError(
    `Tool '${tool.name}' returned a value that is not JSON: ${whyNotJSON(value) ?? 'it is undefined'}`,
  );
}

/**
 * Lets an answer pass that takes no more than `maxBytes` as JSON, as it will be sent: escaped, and
 * with a value's text and structured form both.
 *
 * @throws ToolError
 */
export function assertSendable(subject: string, answer: unknown, maxBytes: number): void {
  checkSize(subject, JSON.stringify(answer), maxBytes);
}

/** Counts the bytes of an answer made of `texts` only where it might not fit. */
function fitting(subject: string, answer: ToolResult, texts: readonly string[], maxBytes: number): ToolResult {
  // A UTF-16 unit takes at most six bytes, escaped; of a value's JSON at most three, in each of its two forms.
  const atMost = texts.reduce((bytes, { length }) => bytes + length * 6 + 100, 100);
  if (atMost > maxBytes) assertSendable(subject, answer, maxBytes);
  return answer;
}

function checkSize(subject: string, json: string, maxBytes: number): void {
  // A UTF-16 unit takes at most three bytes, so short answers need no counting.
  if (json.length * 3 <= maxBytes) return;
  const bytes = Buffer.byteLength(json);
  if (bytes > maxBytes)
    throw new ToolError(`${subject} returned ${bytes} bytes, more than the ${maxBytes} allowed; ask for less`);
}
