import type { ServerSDK, Transport } from '../sdk/server-sdk.js';
import { declaresTasks, tasksCapability, tasksExtension } from './task-handlers.js';
import type { RPCMessage, TaskNews } from './task-news.js';

/** A request that listens to tasks: passed on as the SDK understands it, or refused. */
export type TaskListening = { readonly request: RPCMessage } | { readonly refusal: RPCMessage };

/** Undefined for a message that is none. */
export function listenToTasks(
  sdk: ServerSDK,
  news: TaskNews,
  message: RPCMessage,
  owner: string,
): TaskListening | undefined {
  const request = news.asResources(message, owner);
  const envelope = message.params?._meta ?? {};
  if (!request || !Object.hasOwn(envelope, 'io.modelcontextprotocol/protocolVersion')) return undefined;
  if (declaresTasks(envelope['io.modelcontextprotocol/clientCapabilities'])) return { request };
  const text = `The client must declare the extension ${tasksExtension} to listen to tasks`;
  const error = new sdk.MissingRequiredClientCapabilityError({ requiredCapabilities: tasksCapability }, text);
  const { code, data } = error as Error & { readonly code?: unknown; readonly data?: unknown };
  return { refusal: { jsonrpc: '2.0', id: message.id ?? null, error: { code, message: text, data } } as RPCMessage };
}

/** The stream that answers a request to listen, with tasks as the client understands them. */
export function tellOfTasks(news: TaskNews, response: Response): Response {
  if (!response.body || !response.headers.get('content-type')?.startsWith('text/event-stream')) return response;
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let begun = '';
  const events = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      const frames = (begun + decoder.decode(chunk, { stream: true })).split('\n\n');
      begun = frames.pop() ?? '';
      for (const frame of frames) controller.enqueue(encoder.encode(retold(news, frame)));
    },
  });
  const { status, headers } = response;
  return new Response(response.body.pipeThrough(events), { status, headers });
}

function retold(news: TaskNews, frame: string): string {
  const data = /^data: (\{.*\})$/m.exec(frame)?.[1];
  if (data === undefined) return `${frame}\n\n`;
  return news
    .asTasks(JSON.parse(data) as RPCMessage)
    .map((message) => `event: message\ndata: ${JSON.stringify(message)}\n\n`)
    .join('');
}

/** A connection that lasts, such as stdio, with tasks as its client understands them. */
export class TaskWire implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: unknown) => void;
  readonly #sdk: ServerSDK;
  readonly #news: TaskNews;
  readonly #wire: Transport;

  constructor(sdk: ServerSDK, news: TaskNews, wire: Transport) {
    this.#sdk = sdk;
    this.#news = news;
    this.#wire = wire;
  }

  start(): Promise<void> {
    this.#wire.onclose = () => this.onclose?.();
    this.#wire.onerror = (error) => this.onerror?.(error);
    this.#wire.onmessage = (message) => this.#hear(message as RPCMessage);
    return this.#wire.start();
  }

  async send(message: unknown): Promise<void> {
    // Answers, which are most of the messages, have no method.
    if ((message as RPCMessage).method === undefined) return this.#wire.send(message);
    for (const told of this.#news.asTasks(message as RPCMessage)) await this.#wire.send(told);
  }

  close(): Promise<void> {
    return this.#wire.close();
  }

  #hear(message: RPCMessage): void {
    const listening = listenToTasks(this.#sdk, this.#news, message, '');
    if (!listening) this.onmessage?.(message);
    else if ('request' in listening) this.onmessage?.(listening.request);
    else this.send(listening.refusal).catch((error: Error) => this.onerror?.(error));
  }
}
