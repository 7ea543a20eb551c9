export type { RedisArgument, RedisClient } from '../drivers/redis/index.js';
export type { BroadcastGap, BroadcastReceiver, BroadcastTransport } from './broadcast-transport.js';
export { type CloudEvent, type ParsedMessage, parseMessage } from './cloud-event.js';
export type { ConsumeOptions, EventHandler, LogPosition, ReceivedEvent } from './consume-options.js';
export type { Consumer, ConsumerStats } from './consumer.js';
export type { DeadLetter, DeadLetterSelection, DeadLetters } from './dead-letters.js';
export { type BroadcastReceipt, type EventBusEvents, EventBusIntegration } from './event-bus-integration.js';
export type { EventBusOptions } from './event-bus-options.js';
export { EventStream, type PublishOptions } from './event-stream.js';
export type {
  ChannelSchemas,
  DeadLetterOptions,
  DedupeOptions,
  EventStreamOptions,
  SchemaOf,
} from './event-stream-options.js';
export type {
  Delivery,
  EventTransport,
  EventTransportCapabilities,
  LogRange,
  Outcome,
  OutgoingEvent,
  Receipt,
  StartPosition,
  StoredDeadLetter,
  StoredEvent,
  SubscriptionRequest,
  TransportSubscription,
} from './event-transport.js';
export type { LoggedEvent } from './logged-event.js';
export { Outbox, type OutboxPublishOptions, type OutboxStats } from './outbox/outbox.js';
export type { OutboxDatabase, OutboxEvents, OutboxTransaction } from './outbox/outbox-database.js';
export type { OutboxOptions } from './outbox/outbox-options.js';
export type { OutboxBacklog } from './outbox/outbox-statements.js';
export { type OutboxMigration, outboxTable } from './outbox/outbox-table.js';
export type { EventDraft } from './outgoing.js';
export type { RedeliveryOptions } from './redelivery.js';
export type { ReplayOptions } from './replay-options.js';
export type { InProcessOptions } from './transports/in-process/in-process-options.js';
export {
  type InProcessStats,
  type InProcessTransport,
  inProcess,
} from './transports/in-process/in-process-transport.js';
export type { RedisPubSubOptions } from './transports/redis/redis-pub-sub-options.js';
export { type RedisPubSubTransport, redisPubSub } from './transports/redis/redis-pub-sub-transport.js';
export type { RedisStreamsOptions } from './transports/redis/redis-streams-options.js';
export { type RedisStreamsTransport, redisStreams } from './transports/redis/redis-streams-transport.js';
