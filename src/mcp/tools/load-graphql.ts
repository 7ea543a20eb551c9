// biome-ignore lint/style/noRestrictedImports: reading types and documents is all that is done with it; src/graphql sends
import type * as graphql from 'graphql';
import { lazy } from '../../core/internal.js';

/** The package `graphql`, of which documents and types are read here. */
export type GraphQLModule = typeof graphql;
export type Argument = graphql.GraphQLArgument;
export type Field = graphql.GraphQLField<unknown, unknown>;
export type InputField = graphql.GraphQLInputField;
export type InputType = graphql.GraphQLInputType;
export type NamedType = graphql.GraphQLNamedType;
export type OperationNode = graphql.OperationDefinitionNode;
export type OutputType = graphql.GraphQLOutputType;
export type Schema = graphql.GraphQLSchema;
export type TypeNode = graphql.TypeNode;
export type VariableNode = graphql.VariableDefinitionNode;

// biome-ignore lint/style/noRestrictedImports: as above
export const loadGraphQL: () => Promise<GraphQLModule> = lazy(() => import('graphql'));
