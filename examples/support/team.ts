import { Agent, AgentPool, AnalysisAgent, type Task, type TaskContext } from '@safla/sdk';
import { z } from 'zod';

const Request = z.object({ data: z.array(z.number()), horizon: z.number() });
const Trend = z.object({ trend: z.string() });
const Outlook = z.object({ mean: z.array(z.number()) });

/** Judges a series by what other agents of its pool find out. */
class Reviewer extends Agent<z.infer<typeof Request>, string> {
  constructor() {
    super('reviewer', { capabilities: ['review'], input: Request });
  }

  override canHandle({ type }: Task<z.infer<typeof Request>>): boolean {
    return type === 'review';
  }

  override async execute({ parameters }: Task<z.infer<typeof Request>>, ctx: TaskContext): Promise<string> {
    const { data, horizon } = parameters;
    const [{ trend }, { mean }] = await Promise.all([
      ctx.delegate({ type: 'data-analysis', parameters: { data, analysisType: 'trend' } }, { schema: Trend }),
      ctx.delegate({ type: 'forecast', parameters: { data, horizon } }, { schema: Outlook }),
    ]);
    ctx.progress({ progress: 0.5, message: 'both came back' });
    const change = average(mean) / average(data.slice(-horizon)) - 1;
    return `trend ${trend}; the next ${horizon} average ${(100 * change).toFixed(1)} % over the last ${horizon}`;
  }
}

/** A pool of two agents reviews a series. */
export async function reviewByAgents(data: readonly number[], horizon: number): Promise<string> {
  await using analyst = new AnalysisAgent();
  await using reviewer = new Reviewer();
  await using pool = new AgentPool([analyst, reviewer]);
  const review = { type: 'review', parameters: { data, horizon } };
  const { success, data: words, error } = await pool.submit(review, { timeoutMs: 30_000 }).result;
  if (!success) throw new Error(`The review failed: ${error}`);
  return String(words);
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
