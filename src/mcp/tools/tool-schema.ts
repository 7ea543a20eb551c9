import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';

/**
 * A schema that checks values and can describe itself as JSON Schema: zod 4, ArkType, valibot with
 * `toStandardJsonSchema`, or `fromJSONSchema`.
 */
export type ToolSchema<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output> &
  StandardJSONSchemaV1<Input, Output>;
