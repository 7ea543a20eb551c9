/** One way to store passwords. Texts that come here are normalised and peppered. */
export interface PasswordScheme {
  hash(password: string): Promise<string>;
  /** True for a stored text of this scheme, in a form that it can check. */
  owns(stored: string): boolean;
  verify(password: string, stored: string): Promise<boolean>;
  /** True when a new hash would be made otherwise. */
  isOutdated(stored: string): boolean;
  /** A well-formed text that no password fits and that takes as long to check as a real one. */
  dummy(): string;
}
