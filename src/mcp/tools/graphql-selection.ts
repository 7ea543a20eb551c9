import type { Field, GraphQLModule, NamedType, OutputType } from './load-graphql.js';

/** Fields of one selection, so that a wide type does not make a query that servers refuse. */
const maxFields = 150;

/**
 * A selection for what a field gives when the caller names none: all that can be asked for without
 * arguments, down to `depth` levels of objects. Empty for a scalar.
 */
export class GraphQLSelection {
  readonly #graphql: GraphQLModule;
  readonly #typesOf: (type: NamedType) => readonly NamedType[];

  /** @param typesOf The object types that a union can be. */
  constructor(graphql: GraphQLModule, typesOf: (type: NamedType) => readonly NamedType[]) {
    this.#graphql = graphql;
    this.#typesOf = typesOf;
  }

  of(type: OutputType, depth: number): string {
    const named = this.#graphql.getNamedType(type);
    return this.#graphql.isLeafType(named) ? '' : this.#set(named, depth, { left: maxFields });
  }

  #set(type: NamedType, depth: number, budget: { left: number }): string {
    const { isInterfaceType, isObjectType, isUnionType } = this.#graphql;
    if (isUnionType(type)) {
      const parts = this.#typesOf(type).map((member) => `... on ${member.name} ${this.#set(member, depth, budget)}`);
      return `{ __typename ${parts.join(' ')} }`;
    }
    if (!isObjectType(type) && !isInterfaceType(type)) return '{ __typename }';
    const names = isInterfaceType(type) ? ['__typename'] : [];
    // What is flat comes first, so that it is not what the budget leaves out.
    const fields = Object.values(type.getFields()).filter((field) => this.#isFree(field));
    const isLeaf = ({ type: of }: Field): boolean => this.#graphql.isLeafType(this.#graphql.getNamedType(of));
    for (const field of [...fields.filter(isLeaf), ...fields.filter((one) => !isLeaf(one))]) {
      if (budget.left <= 0) break;
      const inner = isLeaf(field) ? '' : this.#inner(field, depth - 1, budget);
      if (inner === undefined) continue;
      budget.left -= 1;
      names.push(inner === '' ? field.name : `${field.name} ${inner}`);
    }
    return `{ ${names.length > 0 ? names.join(' ') : '__typename'} }`;
  }

  #inner(field: Field, depth: number, budget: { left: number }): string | undefined {
    return depth <= 0 ? undefined : this.#set(this.#graphql.getNamedType(field.type), depth, budget);
  }

  #isFree({ args, deprecationReason }: Field): boolean {
    return !deprecationReason && !args.some((arg) => this.#graphql.isRequiredArgument(arg));
  }
}
