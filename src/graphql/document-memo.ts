import { createHash } from 'node:crypto';
import type { DocumentNode, OperationDefinitionNode } from 'graphql';
import { LRUCache } from 'lru-cache';
import { ValidationError } from '../core/index.js';
import { lazy } from '../core/internal.js';
import type { GraphQLOperationKind } from './graphql-document.js';

/** One operation of a document, as it is sent. */
export interface PreparedOperation {
  /** Tells it from every other one that is held. */
  readonly id: number;
  readonly kind: GraphQLOperationKind;
  /** Undefined for an anonymous operation. */
  readonly name: string | undefined;
  readonly text: string;
  /** Lower-case hex, as automatic persisted queries name a document. */
  readonly sha256: () => string;
  /** The members of the request's JSON that never change, ready to be sent. */
  readonly json: { readonly query: string; readonly operationName: string };
  /** Texts and numbers written in the document: they are data too. */
  readonly literals: () => readonly string[];
}

interface PreparedDocument {
  readonly operations: readonly PreparedOperation[];
}

let lastId = 0;
const maxDocuments = 1_000;
const maxCharacters = 4 * 1024 * 1024;
const loadGraphQL = lazy(() => import('graphql'));

/** Parses each document once. It holds at most 1,000 texts and 4 million characters, the least recently used go first. */
export class DocumentMemo {
  readonly #texts: LRUCache<string, PreparedDocument> = new LRUCache({
    max: maxDocuments,
    maxSize: maxCharacters,
    sizeCalculation: (_, text) => text.length + 1,
  });
  readonly #nodes: WeakMap<DocumentNode, PreparedDocument> = new WeakMap();

  /** How many texts are held. */
  get size(): number {
    return this.#texts.size;
  }

  /**
   * The operation of a document; the one named `operationName` where there are several. At once for a
   * document that is held.
   *
   * @throws ValidationError when it is not GraphQL, with line and column, or the operation is not there
   */
  operation(document: unknown, operationName: string | undefined): PreparedOperation | Promise<PreparedOperation> {
    const known = this.#known(document);
    return known ? chosen(known, operationName) : this.#prepare(document).then((made) => chosen(made, operationName));
  }

  #known(document: unknown): PreparedDocument | undefined {
    return isNode(document) ? this.#nodes.get(document) : this.#texts.get(textOf(document));
  }

  async #prepare(document: unknown): Promise<PreparedDocument> {
    const { parse, print, visit, GraphQLError } = await loadGraphQL();
    // Callers who waited at the same time get the same operations.
    const known = this.#known(document);
    if (known) return known;
    if (isNode(document)) {
      const prepared = prepare(document, print(document), visit);
      this.#nodes.set(document, prepared);
      return prepared;
    }
    const text = textOf(document);
    try {
      const prepared = prepare(parse(text), text, visit);
      this.#texts.set(text, prepared);
      return prepared;
    } catch (error) {
      // Without the cause: it holds the whole text, with what is written in it.
      if (error instanceof GraphQLError) throw invalid(syntaxFault(error.message, error.locations?.[0]));
      throw error;
    }
  }
}

function chosen({ operations }: PreparedDocument, name: string | undefined): PreparedOperation {
  const [first] = operations;
  if (!first) throw invalid('has no operation, only fragments');
  if (name === undefined && operations.length === 1) return first;
  const found = name === undefined ? undefined : operations.find((operation) => operation.name === name);
  if (found) return found;
  const names = operations.map((operation) => operation.name ?? '(anonymous)').join(', ');
  if (name === undefined) throw invalid(`has several operations (${names}): say which by operationName`);
  throw invalid(`has no operation of the name given as operationName; it has: ${names}`);
}

type Visit = typeof import('graphql')['visit'];

function prepare(node: DocumentNode, text: string, visit: Visit): PreparedDocument {
  let hash: string | undefined;
  let literals: readonly string[] | undefined;
  const shared = {
    text,
    sha256: () => {
      hash ??= createHash('sha256').update(text).digest('hex');
      return hash;
    },
    literals: () => {
      literals ??= literalsOf(node, visit);
      return literals;
    },
  };
  const query = `"query":${JSON.stringify(text)}`;
  const definitions = node.definitions.filter(
    (definition): definition is OperationDefinitionNode => definition.kind === ('OperationDefinition' as string),
  );
  const operations = definitions.map(({ operation, name }) => ({
    ...shared,
    id: ++lastId,
    kind: operation as GraphQLOperationKind,
    name: name?.value,
    json: { query, operationName: name ? `,"operationName":${JSON.stringify(name.value)}` : '' },
  }));
  return { operations };
}

function literalsOf(node: DocumentNode, visit: Visit): string[] {
  const found: string[] = [];
  const keep = ({ value }: { readonly value: string }): void => {
    found.push(value);
  };
  visit(node, { StringValue: keep, IntValue: keep, FloatValue: keep });
  return found;
}

function isNode(document: unknown): document is DocumentNode {
  return typeof document === 'object' && document !== null && (document as { kind?: unknown }).kind === 'Document';
}

/** Code generators make texts as objects: `class TypedDocumentString extends String`. */
function textOf(document: unknown): string {
  if (typeof document === 'string') return document;
  if (document instanceof String) return String(document);
  const kind = document === null ? 'null' : typeof document;
  throw invalid(`must be a text or a parsed document, got ${kind === 'object' ? 'another object' : kind}`);
}

/** The parser quotes what it found: names and signs help, values are data. */
function syntaxFault(message: string, at: { readonly line: number; readonly column: number } | undefined): string {
  const reason = message.replace(/^Syntax Error: /, '').replaceAll(/\b((?:Block)?String|Int|Float) ".*"/gs, '$1');
  return `is not valid GraphQL${at ? ` at ${at.line}:${at.column}` : ''}: ${reason}`;
}

function invalid(message: string): ValidationError {
  return new ValidationError('GraphQL document', [{ path: [], message }]);
}
