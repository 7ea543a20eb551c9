import type { Agent } from '@safla/sdk/agents';
import { peer } from '../memory/peer.js';

/** What is called of `@langchain/langgraph`. */
interface LangGraph {
  readonly START: string;
  readonly END: string;
  readonly Annotation: { Root(channels: object): unknown } & (() => unknown);
  readonly StateGraph: new (state: unknown) => Graph;
}
interface Graph {
  addNode(name: string, node: (state: { n: number }) => Promise<{ n: number }>): Graph;
  addEdge(from: string, to: string): Graph;
  compile(): { invoke(state: { n: number }): Promise<{ n: number }> };
}

const version = '1.7.3';
const tasks = 1_000;
const rounds = 7;

/** One task after another, each from its call to its result: a graph of one node that does nothing beside an agent that does nothing. */
export async function compareFrameworks(agent: Agent): Promise<void> {
  const graph = langGraph();
  const sides = [
    { name: 'Agent', call: async (n: number) => (await agent.submit({ type: 't', parameters: { n } }).result).data },
    ...(graph
      ? [
          {
            name: `LangGraph ${version}: StateGraph of one node`,
            call: async (n: number) => (await graph.invoke({ n })).n,
          },
        ]
      : []),
  ];
  const samples = sides.map((): number[] => []);
  for (let round = -2; round < rounds; round++) {
    for (const [index, { call }] of sides.entries()) {
      globalThis.gc?.();
      const before = process.cpuUsage();
      for (let n = 0; n < tasks; n++) if ((await call(n)) !== n) throw new Error(`task ${n} made something else`);
      const { user, system } = process.cpuUsage(before);
      if (round >= 0) samples[index]?.push((user + system) / tasks);
    }
  }
  console.log(`\n${tasks} tasks one after another: CPU microseconds per task`);
  for (const [index, { name }] of sides.entries()) {
    const micros = samples[index]?.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
    console.log(`${micros.toFixed(1).padStart(8)} | ${name}`);
  }
}

function langGraph(): ReturnType<Graph['compile']> | undefined {
  const library = peer<LangGraph>('@langchain/langgraph', version);
  if (!library) return undefined;
  const { START, END, Annotation, StateGraph } = library;
  return new StateGraph(Annotation.Root({ n: Annotation() }))
    .addNode('work', async ({ n }) => ({ n }))
    .addEdge(START, 'work')
    .addEdge('work', END)
    .compile();
}
