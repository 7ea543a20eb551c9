import { type CallOptions, type ErrorCode, openScope, TimeoutError } from '../../core/index.js';
import { checkSource } from './check-source.js';
import { defineTool } from './define-tool.js';
import { fromJSONSchema } from './from-json-schema.js';
import { readable } from './readable.js';
import type { Tool } from './tool.js';
import { checkToolSet, type ToolSetOptions } from './tool-set.js';

/** What {@link websocketTools} needs of a `WebSocketIntegration`, which its owner connects. */
export interface WebSocketSource {
  readonly state: string;
  messages(options: CallOptions): AsyncIterable<unknown>;
  send(message: unknown, options: CallOptions): Promise<void>;
  request(message: unknown, options: CallOptions): Promise<unknown>;
}

/** A message that cannot be sent, or not now, is the caller's to know. */
const callerErrors: readonly ErrorCode[] = ['VALIDATION', 'QUEUE_FULL', 'CONNECTION', 'TIMEOUT'];

/**
 * Puts a WebSocket behind MCP: `websocket_wait` waits for the next messages. `websocket_send` and
 * `websocket_request`, which sends one message and waits for the one that answers it, come when allowed.
 *
 * @example tools: [websocketTools(feed, { name: 'ticks', allow: ['request'] })]
 */
export function websocketTools(ws: WebSocketSource, options: ToolSetOptions<'send' | 'request'> = {}): Tool[] {
  checkSource('websocketTools', ws, ['messages', 'send', 'request'], 'a WebSocketIntegration');
  checkToolSet('websocketTools', options, ['send', 'request']);
  const { name = 'websocket', allow = [] } = options;
  const writes = { send: sendTool, request: requestTool };
  return [waitTool(ws, name), ...allow.map((write) => writes[write](ws, name))];
}

function waitTool(ws: WebSocketSource, name: string): Tool {
  return defineTool(
    {
      name: `${name}_wait`,
      description: 'Wait for the next messages of a WebSocket. Those that came before the call are not seen.',
      input: fromJSONSchema<{ count?: number; timeoutMs?: number }>({
        type: 'object',
        properties: {
          count: { type: 'integer', minimum: 1, maximum: 100, default: 1, description: 'How many messages' },
          timeoutMs: { type: 'integer', minimum: 1, maximum: 55_000, default: 30_000, description: 'How long to wait' },
        },
        additionalProperties: false,
      }),
      annotations: { readOnlyHint: true, openWorldHint: true },
    },
    async ({ count = 1, timeoutMs = 30_000 }) => {
      const messages: unknown[] = [];
      using scope = openScope('the next messages', { timeoutMs });
      try {
        for await (const message of ws.messages({ signal: scope.signal })) {
          messages.push(shown(message));
          if (messages.length === count) break;
        }
      } catch (error) {
        if (!(error instanceof TimeoutError && error === scope.reason && error.timeoutMs === timeoutMs)) throw error;
      }
      return { state: ws.state, messages };
    },
  );
}

function sendTool(ws: WebSocketSource, name: string): Tool {
  return defineTool(
    {
      name: `${name}_send`,
      description: 'Send a message over a WebSocket, without waiting for an answer',
      input: fromJSONSchema<{ message: unknown }>(messageInput),
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
    },
    ({ message }, { signal }) =>
      readable(callerErrors, async () => {
        await ws.send(message, { signal });
        return { sent: true };
      }),
  );
}

function requestTool(ws: WebSocketSource, name: string): Tool {
  return defineTool(
    {
      name: `${name}_request`,
      description: 'Send a message over a WebSocket and wait for the one that answers it',
      input: fromJSONSchema<{ message: unknown }>(messageInput),
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
    },
    ({ message }, { signal }) =>
      readable(callerErrors, async () => ({ answer: shown(await ws.request(message, { signal })) })),
  );
}

const messageInput = {
  type: 'object',
  properties: { message: { description: 'The message, as the codec of the WebSocket takes it' } },
  required: ['message'],
  additionalProperties: false,
};

/** Bytes as base64: JSON has no form for them. */
function shown(message: unknown): unknown {
  return message instanceof Uint8Array ? Buffer.from(message).toString('base64') : message;
}
