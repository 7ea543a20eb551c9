import { ConfigurationError, NotFoundError } from '../core/index.js';

/** Every transport says the same, so that another one changes no error: the log does not hold this event. */
export function noSuchEvent(channel: string, id: string): NotFoundError {
  return new NotFoundError(`Channel '${channel}' holds no event with the id '${id}'; it may have been trimmed`);
}

/** The channel is not consumed by this group. */
export function noSuchGroup(channel: string, group: string): NotFoundError {
  return new NotFoundError(`Channel '${channel}' has no group '${group}'`);
}

/** A group that somebody consumes by cannot be deleted. */
export function groupInUse(channel: string, group: string): ConfigurationError {
  return new ConfigurationError(`Group '${group}' has consumers on '${channel}'; close them, then delete it`, {
    field: 'group',
  });
}

/** A group is ordered or not: members that disagree would break the order. */
export function groupOrderDiffers(group: string, ordered: boolean): ConfigurationError {
  return new ConfigurationError(`Group '${group}' exists with ordered: ${ordered}; use that, or another group`, {
    field: 'ordered',
  });
}
