/** Wraps a failure that would be the same at every attempt. Never leaves this module. */
export class PoisonError extends Error {}
