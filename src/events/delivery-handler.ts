import { contextStore } from '../core/context-store.js';
import { type StandardSchemaV1, spanKind, type Telemetry, ValidationError, validate } from '../core/index.js';
import type { EventHandler, ReceivedEvent } from './consume-options.js';
import type { Handling } from './handling.js';
import { type LoggedEvent, StoredMessage } from './logged-event.js';
import { PoisonError } from './poison-error.js';

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
export function deliveryHandler(parts: DeliveryHandlerParts): (handling: Handling) => unknown {
  const { schemaFor, handler, telemetry } = parts;
  const store = contextStore();
  return (handling) => {
    const event = new Received(handling);
    handling.message = event;
    const schema = schemaFor(event.channel);
    if (!schema && !telemetry.tracing) return store.run(handling, handler, event as never);
    return store.run(handling, () =>
      inSpan(parts, event, async () => {
        if (schema) event.data = await checked(schema, event.data, `Event '${event.id}' on '${event.channel}'`);
        return handler(event as never);
      }),
    );
  };
}

function inSpan(
  { group, telemetry }: DeliveryHandlerParts,
  { channel, id, envelope }: LoggedEvent,
  work: () => Promise<unknown>,
): Promise<unknown> {
  const attributes = {
    'messaging.operation.type': 'process',
    'messaging.destination.name': channel,
    'messaging.consumer.group.name': group,
    'messaging.message.id': id,
  };
  const { traceparent, tracestate } = envelope ?? {};
  const remote = { traceparent, tracestate };
  return telemetry.span({ name: `process ${channel}`, kind: spanKind.consumer, attributes, remote }, async () =>
    work(),
  );
}

/** What the handler gets. Making a signal costs more than all the rest, so it is made on first read. */
class Received extends StoredMessage implements ReceivedEvent {
  readonly attempt: number;
  readonly #handling: Handling;

  constructor(handling: Handling) {
    super(handling.delivery.event);
    this.attempt = handling.delivery.attempt;
    this.#handling = handling;
  }

  get signal(): AbortSignal {
    return this.#handling.scope.signal;
  }

  override toJSON(): Omit<ReceivedEvent, 'signal'> {
    return { ...super.toJSON(), attempt: this.attempt };
  }
}

async function checked(schema: StandardSchemaV1, data: unknown, subject: string): Promise<unknown> {
  try {
    return await validate(schema, data, subject);
  } catch (cause) {
    if (cause instanceof ValidationError) throw new PoisonError(cause.message, { cause });
    throw cause;
  }
}
