import { ValidationError } from '../core/index.js';

const maxLength = 255;
/** Segments between dots. What Redis, NATS and Kafka give a meaning to is left out. */
const name = /^[^\s\p{Cc}.*>{}]+(?:\.[^\s\p{Cc}.*>{}]+)*$/u;
const pattern = /^(?:[^\s\p{Cc}.*>{}]+|\*)(?:\.(?:[^\s\p{Cc}.*>{}]+|\*))*(?:\.\*\*)?$|^\*\*$/u;

/** The last good one: a publisher mostly stays with its channel. */
let lastName: string | undefined;

/** @throws ValidationError when `channel` cannot name a channel of an EventStream */
export function assertChannelName(channel: unknown): asserts channel is string {
  if (channel === lastName && channel !== undefined) return;
  if (typeof channel !== 'string' || channel.length > maxLength || !name.test(channel)) {
    throw refuse(
      'channel',
      `must be 1 to ${maxLength} characters without space, '*', '>', '{' or '}', like 'order.paid'`,
    );
  }
  lastName = channel;
}

/** @throws ValidationError when `channel` is neither a channel's name nor a pattern */
export function assertChannelPattern(channel: unknown): asserts channel is string {
  if (typeof channel !== 'string' || channel.length > maxLength || !pattern.test(channel)) {
    throw refuse(
      'channel or pattern',
      "must be like 'order.paid', 'order.*' (one segment) or 'order.**' (one or more)",
    );
  }
}

/** True when the text is a pattern rather than one channel. */
export function isPattern(channel: string): boolean {
  return channel.includes('*');
}

/**
 * Compiles a channel pattern: `*` stands for one segment between dots, `**` at the end for one or
 * more. A text without either matches itself.
 */
export function channelMatcher(channelPattern: string): (channel: string) => boolean {
  const source = channelPattern
    .split('.')
    .map((segment) => (segment === '**' ? '.+' : segment === '*' ? '[^.]+' : literal(segment)))
    .join('\\.');
  const expression = new RegExp(`^${source}$`, 'u');
  return (channel) => expression.test(channel);
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

function refuse(subject: string, message: string): ValidationError {
  return new ValidationError(subject, [{ path: [], message }]);
}
