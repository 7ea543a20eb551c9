import type { MCPServer } from '@safla/sdk/mcp';

/** The extension that a client declares to get tasks. */
export const tasksExtension = 'io.modelcontextprotocol/tasks';
/** Capabilities of a client that knows tasks and can ask its user. */
export const knowsTasks: object = { elicitation: {}, extensions: { [tasksExtension]: {} } };

/** What a server answered. */
export interface Answer {
  readonly status: number;
  readonly result?: Readonly<Record<string, unknown>> & {
    readonly taskId: string;
    readonly status: string;
    readonly nextCursor?: string;
    readonly inputRequests?: Readonly<Record<string, { readonly params: { readonly message: string } }>>;
    readonly result?: { readonly content: readonly { readonly text: string }[]; readonly isError?: boolean };
    readonly content: readonly { readonly text: string }[];
    readonly isError?: boolean;
    readonly requestState?: string;
  };
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** Who sends a request, with what, and until when. */
export interface By {
  readonly capabilities?: object;
  readonly id?: string;
  readonly signal?: AbortSignal;
}

let ids = 0;

/** The parameters of a request of 2026-07-28, with what each one says of its client. */
export function modern(params: Readonly<Record<string, unknown>>, capabilities: object = knowsTasks): object {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 't', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': capabilities,
  };
  return { ...params, _meta: { ...(params._meta as object | undefined), ..._meta } };
}

/** One request of 2026-07-28 over HTTP, and what comes back as it comes. */
export async function send(
  server: MCPServer,
  method: string,
  params: Readonly<Record<string, unknown>>,
  { capabilities = knowsTasks, id, signal }: By = {},
): Promise<Response> {
  const name = params.taskId ?? params.name ?? params.uri;
  const request = new Request('http://127.0.0.1/mcp', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(name === undefined ? {} : { 'mcp-name': String(name) }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: ++ids, method, params: modern(params, capabilities) }),
    ...(signal ? { signal } : {}),
  });
  return server.fetch(request, id === undefined ? {} : { principal: { id } });
}

/** One request of 2026-07-28, by whom it is said to be, and its answer. */
export async function ask(
  server: MCPServer,
  method: string,
  params: Readonly<Record<string, unknown>>,
  by: By = {},
): Promise<Answer> {
  const response = await send(server, method, params, by);
  const text = await response.text();
  const data = text.split('\n').find((line) => line.startsWith('data: {'));
  return { status: response.status, ...(JSON.parse(data ? data.slice(6) : text) as object) };
}
