import {
  type CallScope,
  type StandardSchemaV1,
  spanKind,
  type Telemetry,
  ValidationError,
  validate,
} from '../core/index.js';
import { enterScope } from '../core/internal.js';
import type { EventHandler, ReceivedEvent } from './consume-options.js';
import { PoisonError } from './consumer.js';
import type { Delivery } from './event-transport.js';
import { type LoggedEvent, toLoggedEvent } from './logged-event.js';

/** What {@link deliveryHandler} puts around a handler. */
export interface DeliveryHandlerParts {
  readonly group: string;
  readonly schemaFor: (channel: string) => StandardSchemaV1 | undefined;
  readonly handler: EventHandler<never>;
  readonly telemetry: Telemetry;
  /** Whether spans are worth their cost now. */
  readonly traced: () => boolean;
}

/**
 * Runs the host's handler for one delivery, inside the event's own context: what it awaits is
 * cancelled with the delivery and carries the publisher's correlation id, or the event's id where
 * the publisher had none.
 */
export function deliveryHandler(parts: DeliveryHandlerParts): (delivery: Delivery, scope: CallScope) => unknown {
  const { schemaFor, handler, traced } = parts;
  return (delivery, scope) => {
    const event = toLoggedEvent(delivery.event);
    const schema = schemaFor(event.channel);
    const correlationId = event.envelope?.correlationid ?? event.id;
    if (!schema && !traced()) {
      return enterScope(scope, correlationId, () =>
        handler(new Received(event, event.data, delivery.attempt, scope) as never),
      );
    }
    return enterScope(scope, correlationId, () =>
      inSpan(parts, event, async () => {
        const data = schema
          ? await checked(schema, event.data, `Event '${event.id}' on '${event.channel}'`)
          : event.data;
        return handler(new Received(event, data, delivery.attempt, scope) as never);
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
class Received implements ReceivedEvent {
  readonly id: string;
  readonly channel: string;
  readonly key: string | undefined;
  readonly time: Date;
  readonly data: unknown;
  readonly envelope: LoggedEvent['envelope'];
  readonly attempt: number;
  readonly #scope: CallScope;

  constructor(event: LoggedEvent, data: unknown, attempt: number, scope: CallScope) {
    this.id = event.id;
    this.channel = event.channel;
    this.key = event.key;
    this.time = event.time;
    this.data = data;
    this.envelope = event.envelope;
    this.attempt = attempt;
    this.#scope = scope;
  }

  get signal(): AbortSignal {
    return this.#scope.signal;
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
