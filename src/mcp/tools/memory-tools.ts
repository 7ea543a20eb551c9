import type { ErrorCode } from '../../core/index.js';
import { checkSource } from './check-source.js';
import { defineTool } from './define-tool.js';
import { fromJSONSchema } from './from-json-schema.js';
import { readable } from './readable.js';
import type { Tool } from './tool.js';
import { ToolError } from './tool-error.js';
import { checkToolSet, type ToolSetOptions } from './tool-set.js';

/** What {@link memoryTools} needs of a `VectorMemoryProvider`. Texts need one that can embed them, as `LocalVectorMemory` with `embed`. */
export interface MemorySource {
  search(query: number[] | string, limit: number): Promise<readonly MemoryEntry[]>;
  retrieve(id: string): Promise<MemoryEntry | null | undefined>;
  store(id: string, content: number[] | string, metadata?: Record<string, unknown>): Promise<unknown>;
  delete(id: string): Promise<unknown>;
}

/** A thing that is remembered. */
export interface MemoryEntry {
  readonly id: string;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  readonly similarity?: number | undefined;
}

/** A vector of another dimension, an id too long, a text for a memory that has vectors only. */
const callerErrors: readonly ErrorCode[] = ['VALIDATION', 'CONFIGURATION'];

const vector = { type: 'array', items: { type: 'number' }, minItems: 1, description: 'Instead of text: an embedding' };
const text = { type: 'string', minLength: 1, description: 'Text; needs a memory with an embedding function' };
const id = { type: 'string', minLength: 1, maxLength: 512 };
const oneContent = { oneOf: [{ required: ['text'] }, { required: ['vector'] }] };

interface Content {
  readonly text?: string;
  readonly vector?: number[];
}

/**
 * Puts a vector memory behind MCP: `memory_search` and `memory_retrieve`, and `memory_store` and
 * `memory_delete` when allowed. Answers hold ids, metadata and similarity, not vectors.
 *
 * @example tools: [memoryTools(memory, { allow: ['store'] })]
 */
export function memoryTools(memory: MemorySource, options: ToolSetOptions<'store' | 'delete'> = {}): Tool[] {
  checkSource('memoryTools', memory, ['search', 'retrieve', 'store', 'delete'], 'a VectorMemoryProvider');
  checkToolSet('memoryTools', options, ['store', 'delete']);
  const { name = 'memory', allow = [] } = options;
  const writes = { store: storeTool, delete: deleteTool };
  return [searchTool(memory, name), retrieveTool(memory, name), ...allow.map((write) => writes[write](memory, name))];
}

function searchTool(memory: MemorySource, name: string): Tool {
  return defineTool(
    {
      name: `${name}_search`,
      description: 'Find what is remembered and most similar to a text or a vector, best first',
      input: fromJSONSchema<Content & { limit?: number }>({
        type: 'object',
        properties: { text, vector, limit: { type: 'integer', minimum: 1, maximum: 100, default: 10 } },
        ...oneContent,
        additionalProperties: false,
      }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    async ({ limit = 10, ...content }) => {
      const hits = await readable(callerErrors, () => memory.search(contentOf(content), limit));
      return { hits: hits.map((hit) => ({ ...shown(hit), similarity: hit.similarity })) };
    },
  );
}

function retrieveTool(memory: MemorySource, name: string): Tool {
  return defineTool(
    {
      name: `${name}_retrieve`,
      description: 'Get one remembered thing by its id',
      input: fromJSONSchema<{ id: string }>({
        type: 'object',
        properties: { id },
        required: ['id'],
        additionalProperties: false,
      }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    async (args) => {
      const entry = await readable(callerErrors, () => memory.retrieve(args.id));
      if (!entry) throw new ToolError(`Nothing is remembered under '${args.id}'`);
      return shown(entry);
    },
  );
}

function storeTool(memory: MemorySource, name: string): Tool {
  return defineTool(
    {
      name: `${name}_store`,
      description: 'Remember a text or a vector under an id; what was there before is replaced',
      input: fromJSONSchema<Content & { id: string; metadata?: Record<string, unknown> }>({
        type: 'object',
        properties: { id, text, vector, metadata: { type: 'object', description: 'Facts to get back with it' } },
        required: ['id'],
        ...oneContent,
        additionalProperties: false,
      }),
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    },
    async ({ id: key, metadata, ...content }) => {
      await readable(callerErrors, () => memory.store(key, contentOf(content), metadata));
      return { stored: key };
    },
  );
}

function deleteTool(memory: MemorySource, name: string): Tool {
  return defineTool(
    {
      name: `${name}_delete`,
      description: 'Forget what is remembered under an id',
      input: fromJSONSchema<{ id: string }>({
        type: 'object',
        properties: { id },
        required: ['id'],
        additionalProperties: false,
      }),
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    },
    async (args) => {
      await readable(callerErrors, () => memory.delete(args.id));
      return { deleted: args.id };
    },
  );
}

/** The schema lets exactly one of the two through. */
function contentOf({ text: words, vector: numbers }: Content): string | number[] {
  return words ?? numbers ?? [];
}

function shown({ id: key, metadata }: MemoryEntry): object {
  return { id: key, metadata: metadata ?? {} };
}
