import { type Awaitable, ConfigurationError } from '../../core/index.js';
import type { ResourceDefinition } from './resource.js';

/** An event channel, such as `EventBusIntegration` or `EventStream`. */
export interface MessagePublisher {
  publish(channel: string, message: unknown): Awaitable<unknown>;
}

/** The server of the MCP SDK: clients get `notifications/message` with the message as its data. */
export interface MessageNotifier {
  sendLoggingMessage(params: { level: 'info'; logger: string; data: unknown }): Awaitable<unknown>;
}

/** An `MCPServer`: the latest message is a resource, and clients are notified that it changed. */
export interface ResourceHolder {
  addResource(uri: string, definition: ResourceDefinition): unknown;
}

/** Where messages go. A function gets each message; the next one waits until it settled. */
export type MessageSink =
  | ((message: unknown) => Awaitable<unknown>)
  | MessagePublisher
  | MessageNotifier
  | ResourceHolder;

/**
 * One way to forward to any sink.
 *
 * @param channel The channel of a publisher, the logger's name of a notifier, the name of a resource.
 * @throws ConfigurationError when it is none
 */
export function forwardTo(sink: MessageSink, channel: string): (message: unknown) => Awaitable<unknown> {
  if (typeof sink === 'function') return sink;
  const has = (method: string): boolean =>
    typeof (Object(sink) as Readonly<Record<string, unknown>>)[method] === 'function';
  if (has('publish')) return (message) => (sink as MessagePublisher).publish(channel, message);
  if (has('sendLoggingMessage'))
    return (data) => (sink as MessageNotifier).sendLoggingMessage({ level: 'info', logger: channel, data });
  if (has('addResource'))
    return (message) => (sink as ResourceHolder).addResource(`websocket:${channel}`, asResource(channel, message));
  throw new ConfigurationError('forward must be a function, or have publish(), sendLoggingMessage() or addResource()', {
    field: 'WebSocketMCPServer.forward',
  });
}

function asResource(name: string, message: unknown): ResourceDefinition {
  if (message instanceof Uint8Array) return { name, content: message };
  return { name, mimeType: 'application/json', content: JSON.stringify(message) };
}
