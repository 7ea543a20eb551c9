import {
  type CallScope,
  type StandardSchemaV1,
  spanKind,
  type Telemetry,
  ValidationError,
  validate,
  withContext,
} from '../core/index.js';
import type { EventHandler } from './consume-options.js';
import { PoisonError } from './consumer.js';
import type { Delivery } from './event-transport.js';
import { toLoggedEvent } from './logged-event.js';

/** What {@link deliveryHandler} puts around a handler. */
export interface DeliveryHandlerParts {
  readonly group: string;
  readonly schemaFor: (channel: string) => StandardSchemaV1 | undefined;
  readonly handler: EventHandler<never>;
  readonly telemetry: Telemetry;
}

/**
 * Runs the host's handler for one delivery, inside the event's own context: what it awaits is
 * cancelled with the delivery and carries the publisher's correlation id, or the event's id where
 * the publisher had none.
 */
export function deliveryHandler(parts: DeliveryHandlerParts): (delivery: Delivery, scope: CallScope) => Promise<void> {
  const { group, schemaFor, handler, telemetry } = parts;
  return async (delivery, scope) => {
    const event = toLoggedEvent(delivery.event);
    const { channel, id } = event;
    const attributes = {
      'messaging.operation.type': 'process',
      'messaging.destination.name': channel,
      'messaging.consumer.group.name': group,
      'messaging.message.id': id,
    };
    const { signal } = scope;
    const correlationId = event.envelope?.correlationid ?? id;
    await withContext({ signal, correlationId }, () =>
      telemetry.span({ name: `process ${channel}`, kind: spanKind.consumer, attributes }, async () => {
        const data = await checked(schemaFor(channel), event.data, `Event '${id}' on '${channel}'`);
        await handler({ ...event, data, attempt: delivery.attempt, signal } as never);
      }),
    );
  };
}

async function checked(schema: StandardSchemaV1 | undefined, data: unknown, subject: string): Promise<unknown> {
  if (!schema) return data;
  try {
    return await validate(schema, data, subject);
  } catch (cause) {
    if (cause instanceof ValidationError) throw new PoisonError(cause.message, { cause });
    throw cause;
  }
}
