import type { Argument, GraphQLModule, InputField, InputType, Schema, TypeNode, VariableNode } from './load-graphql.js';

type JSONSchema = Readonly<Record<string, unknown>>;

/** The schema of an object with one property for each argument. */
export interface ArgumentsSchema extends JSONSchema {
  readonly properties: Readonly<Record<string, unknown>>;
  readonly required: readonly string[];
}

/** The built-in scalars (GraphQL specification, section 3.5); an ID may be written as a number too. */
const scalars: Readonly<Record<string, JSONSchema>> = {
  Int: { type: 'integer', minimum: -2_147_483_648, maximum: 2_147_483_647 },
  Float: { type: 'number' },
  String: { type: 'string' },
  Boolean: { type: 'boolean' },
  ID: { type: ['string', 'integer'] },
};

/** Writes the types of GraphQL inputs as JSON Schema; enums and input objects, which may be recursive, become `$defs`. */
export class GraphQLArguments {
  readonly #graphql: GraphQLModule;
  readonly #schema: Schema | undefined;

  /** @param schema Without one, only the built-in scalars are known, and all else may be any value. */
  constructor(graphql: GraphQLModule, schema?: Schema) {
    this.#graphql = graphql;
    this.#schema = schema;
  }

  /** The arguments of a field. */
  ofField(args: readonly Argument[]): ArgumentsSchema {
    const definitions: Record<string, unknown> = {};
    return { ...this.#object(args, definitions), ...defsOf(definitions) };
  }

  /** The variables of an operation. */
  ofOperation(variables: readonly VariableNode[]): ArgumentsSchema {
    const definitions: Record<string, unknown> = {};
    const properties: Record<string, unknown> = {};
    const required: string[] = [];
    for (const { variable, type, defaultValue } of variables) {
      const name = variable.name.value;
      properties[name] = this.#ofNode(type, definitions);
      if (type.kind === 'NonNullType' && defaultValue === undefined) required.push(name);
    }
    return { type: 'object', properties, required, additionalProperties: false, ...defsOf(definitions) };
  }

  #ofNode(node: TypeNode, definitions: Record<string, unknown>): unknown {
    const { typeFromAST } = this.#graphql;
    const known = this.#schema && typeFromAST(this.#schema, node as never);
    if (known && this.#graphql.isInputType(known)) return this.#ofType(known, definitions);
    if (node.kind === 'NonNullType') return this.#bare(node.type, definitions);
    return orNull(this.#bare(node, definitions));
  }

  #bare(node: TypeNode, definitions: Record<string, unknown>): JSONSchema {
    if (node.kind === 'ListType') return { type: 'array', items: this.#ofNode(node.type, definitions) };
    return node.kind === 'NamedType' ? named(node.name.value) : this.#bare(node.type, definitions);
  }

  #ofType(type: InputType, definitions: Record<string, unknown>): JSONSchema {
    if (this.#graphql.isNonNullType(type)) return this.#inner(type.ofType, definitions);
    return orNull(this.#inner(type, definitions));
  }

  #inner(type: InputType, definitions: Record<string, unknown>): JSONSchema {
    const { isEnumType, isInputObjectType, isListType } = this.#graphql;
    if (isListType(type)) return { type: 'array', items: this.#ofType(type.ofType, definitions) };
    if (isEnumType(type)) {
      definitions[type.name] ??= {
        type: 'string',
        enum: type.getValues().map(({ name }) => name),
        ...described(type.description),
      };
      return { $ref: `#/$defs/${type.name}` };
    }
    if (isInputObjectType(type)) {
      if (!Object.hasOwn(definitions, type.name)) {
        // First, so that a type that holds itself ends here.
        definitions[type.name] = true;
        const one = type.isOneOf ? { minProperties: 1, maxProperties: 1 } : {};
        const object = this.#object(Object.values(type.getFields()), definitions);
        definitions[type.name] = { ...object, ...one, ...described(type.description) };
      }
      return { $ref: `#/$defs/${type.name}` };
    }
    return named((type as { readonly name: string }).name);
  }

  #object(fields: readonly (Argument | InputField)[], definitions: Record<string, unknown>): ArgumentsSchema {
    const properties = fields.map(({ name, type, description }): [string, unknown] => [
      name,
      { ...this.#ofType(type, definitions), ...described(description) },
    ]);
    const required = fields.filter((field) => this.#graphql.isRequiredArgument(field as Argument));
    return {
      type: 'object',
      properties: Object.fromEntries(properties),
      required: required.map(({ name }) => name),
      additionalProperties: false,
    };
  }
}

function named(name: string): JSONSchema {
  return Object.hasOwn(scalars, name) ? (scalars[name] as JSONSchema) : { description: name };
}

function orNull(schema: JSONSchema): JSONSchema {
  const { type } = schema;
  if (type === undefined) return schema.$ref === undefined ? schema : { anyOf: [schema, { type: 'null' }] };
  return { ...schema, type: [...(Array.isArray(type) ? (type as string[]) : [type as string]), 'null'] };
}

function described(description: string | null | undefined): { description?: string } {
  return description ? { description } : {};
}

function defsOf(definitions: Readonly<Record<string, unknown>>): { $defs?: object } {
  return Object.keys(definitions).length > 0 ? { $defs: definitions } : {};
}
