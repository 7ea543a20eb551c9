/** A method that changes something. */
export type WriteMethod = 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export const writeMethods: readonly WriteMethod[] = ['POST', 'PUT', 'PATCH', 'DELETE'];
