/** What is sent as a value, never as SQL. `undefined`, arrays and plain objects are refused: say what they are. */
export type SqlParameter = string | number | bigint | boolean | null | Date | Uint8Array;

/** What can stand in a template's `${}`. */
export type SqlValue = SqlParameter | SqlFragment;

/** A value in the form it is sent in. */
export type EncodedValue = string | Uint8Array | null;

/** One piece of a fragment: SQL as it stands, or a value that becomes a parameter. */
export type SqlPiece = { readonly text: string } | { readonly value: EncodedValue };

let piecesOf: (fragment: SqlFragment) => readonly SqlPiece[];

/**
 * A piece of SQL with its values apart from the text, made by the tag `sql`. Fragments are immutable and
 * can stand inside each other.
 */
export class SqlFragment {
  static {
    piecesOf = (fragment) => fragment.#pieces;
  }

  readonly #pieces: readonly SqlPiece[];

  /** Use the tag: SQL made here by hand is not checked by anything. */
  constructor(pieces: readonly SqlPiece[]) {
    this.#pieces = pieces;
  }

  /** The SQL with `$1`, `$2`, ... in the place of values. */
  get text(): string {
    let number = 0;
    return this.#pieces.map((piece) => ('text' in piece ? piece.text : `$${++number}`)).join('');
  }
}

/** The pieces of a fragment, in order. */
export function fragmentPieces(fragment: SqlFragment): readonly SqlPiece[] {
  return piecesOf(fragment);
}
