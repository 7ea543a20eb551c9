import {
  currentContext,
  type StandardSchemaV1,
  spanKind,
  type Telemetry,
  ValidationError,
  validate,
  withContext,
} from '../core/index.js';
import type { EventHandler, ReceivedEvent } from './consume-options.js';
import { PoisonError } from './consumer.js';
import type { Delivery } from './event-transport.js';
import { type LoggedEvent, toLoggedEvent } from './logged-event.js';

/** What {@link deliveryHandler} puts around a handler. */
export interface DeliveryHandlerParts {
  readonly group: string;
  readonly schemaFor: (channel: string) => StandardSchemaV1 | undefined;
  readonly handler: EventHandler<never>;
  /** Longest time for one run. */
  readonly timeoutMs: number;
  readonly telemetry: Telemetry;
}

/**
 * Runs the host's handler for one delivery, inside the event's own context: what it awaits is
 * cancelled with the delivery and carries the publisher's correlation id, or the event's id where
 * the publisher had none.
 */
export function deliveryHandler(parts: DeliveryHandlerParts): (delivery: Delivery, end: AbortSignal) => Promise<void> {
  const { group, schemaFor, handler, timeoutMs, telemetry } = parts;
  return async (delivery, end) => {
    const event = toLoggedEvent(delivery.event);
    const { channel, id } = event;
    const attributes = {
      'messaging.operation.type': 'process',
      'messaging.destination.name': channel,
      'messaging.consumer.group.name': group,
      'messaging.message.id': id,
    };
    const { correlationid: correlationId = id, traceparent, tracestate } = event.envelope ?? {};
    const span = {
      name: `process ${channel}`,
      kind: spanKind.consumer,
      attributes,
      remote: { traceparent, tracestate },
    };
    await withContext({ signal: end, timeoutMs, correlationId }, () =>
      telemetry.span(span, async () => {
        const schema = schemaFor(channel);
        const data = schema ? await checked(schema, event.data, `Event '${id}' on '${channel}'`) : event.data;
        await handler(receivedEvent(event, data, delivery.attempt) as never);
      }),
    );
  };
}

/** The signal is the active context's. Making one costs more than all the rest, so it is made on first read. */
function receivedEvent(event: LoggedEvent, data: unknown, attempt: number): ReceivedEvent {
  const context = currentContext();
  return {
    ...event,
    data,
    attempt,
    get signal() {
      return context.signal as AbortSignal;
    },
  };
}

async function checked(schema: StandardSchemaV1, data: unknown, subject: string): Promise<unknown> {
  try {
    return await validate(schema, data, subject);
  } catch (cause) {
    if (cause instanceof ValidationError) throw new PoisonError(cause.message, { cause });
    throw cause;
  }
}
