import { z } from 'zod';

/** What the tour reads of the tools' answers. */
export const seriesSchema = z.object({
  fromCache: z.boolean(),
  data: z.object({ points: z.array(z.object({ date: z.string(), value: z.number() })) }),
});

export const statisticsSchema = z.object({
  mean: z.number(),
  median: z.number(),
  standardDeviation: z.number().nullable(),
  outliers: z.array(z.unknown()),
});

export const patternSchema = z.object({ period: z.number().nullable(), anomalies: z.array(z.unknown()) });

export const trendSchema = z.object({
  trend: z.string(),
  slope: z.number(),
  mannKendall: z.object({ p: z.number() }).nullish(),
});

export const forecastSchema = z.object({
  mean: z.array(z.number()),
  lower: z.array(z.number()).nullable(),
  upper: z.array(z.number()).nullable(),
  method: z.string(),
  models: z.array(z.string()),
  period: z.number().nullable(),
  level: z.number(),
  n: z.number(),
  notes: z.array(z.string()),
});

export const hitsSchema = z.object({ hits: z.array(z.object({ metadata: z.object({ text: z.string() }) })) });

/** A tool's answer in its shape. Says in one line what is not as expected. */
export function read<Schema extends z.ZodType>(schema: Schema, what: string, answer: unknown): z.output<Schema> {
  const { data, error } = schema.safeParse(answer);
  const issue = error?.issues[0];
  if (issue) throw new Error(`${what}: unexpected answer at ${issue.path.join('.') || 'its top'}: ${issue.message}`);
  return data as z.output<Schema>;
}

/** A finding as it is published and remembered. */
export function finding(id: string, text: string): { readonly id: string; readonly text: string } {
  return { id, text };
}
