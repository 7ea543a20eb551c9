/**
 * The tour: an MCP host starts a real MCP server over stdio and works through its tools, with real
 * data, from a REST API to a forecast. `npm start`, or `npm start -- my.csv` with your own series.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Forecast,
  healthReport,
  loadMCPConfig,
  type MCPConfig,
  MCPHost,
  parseCSV,
  SaflaError,
  type ToolAnswer,
  toSVG,
  toTerminalChart,
} from '@safla/sdk';
import { type Backend, startBackend } from './support/backend.js';
import { encryptionStep } from './support/encryption-step.js';
import { headline } from './support/printable.js';
import { securityStep } from './support/security-step.js';
import {
  finding,
  forecastSchema,
  hitsSchema,
  patternSchema,
  read,
  seriesSchema,
  statisticsSchema,
  trendSchema,
} from './support/shapes.js';
import { reviewByAgents } from './support/team.js';
import { Tour, tableWidth } from './support/tour.js';
import { askForFacts, followLive, keepInSQL } from './support/ways-in.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const shipped = join(root, 'examples/data/air-passengers.csv');
/** Where the user is: `npm --prefix` runs scripts elsewhere. */
const here = process.env.INIT_CWD ?? process.cwd();

async function main(file: string): Promise<void> {
  const series = parseCSV(await readSeries(file), { file });
  if (series.values.length < 2) throw new Error(`${file}: the tour needs at least 2 rows of date,value, found 1`);
  const points = series.time.map((date, i) => ({ date, value: series.values[i] ?? 0 }));
  const title = file === shipped ? 'Monthly airline passengers, 1949 to 1960, in thousands' : file;

  const columns = tableWidth(process.stdout);
  const tour = new Tour(columns);
  tour.begin(`@safla/sdk: ${title}`);

  await using backend = await tour.step('Start a backend', 'node:http', async () => {
    const started = await startBackend({ name: title, points });
    return [started, `REST, GraphQL and WebSocket at ${new URL(started.url).host}, key required`];
  });

  await using folder = await temporaryFolder();
  const config = await loadMCPConfig(join(root, 'examples/mcp.yaml'), { env: environment(backend, folder.path) });
  await using host = new MCPHost(fromRoot(config));
  await tour.step('Start an MCP server', 'loadMCPConfig, MCPHost', async () => {
    const tools = await host.listTools();
    return [tools, `assistant over stdio, ${tools.length} tools`];
  });

  const values = await tour.step('Fetch the series', 'apiTools(APIIntegration)', async () => {
    const { data } = read(seriesSchema, 'series_get', await call(host, 'series_get', { path: '/series/current' }));
    const numbers = data.points.map((point) => point.value);
    return [numbers, `${numbers.length} values, ${Math.min(...numbers)} to ${Math.max(...numbers)}`];
  });
  await tour.step('Fetch it again', 'HTTP cache', async () => {
    const { fromCache } = read(seriesSchema, 'series_get', await call(host, 'series_get', { path: '/series/current' }));
    return [fromCache, `from cache: ${fromCache}; the backend saw ${backend.requests()} request`];
  });

  await tour.step('Ask what is in it', 'GraphQLIntegration', async () => {
    const facts = await askForFacts(backend);
    return [facts, `${facts.count} points, ${facts.from} to ${facts.to}`];
  });
  const live = await tour.step('Follow it live', 'WebSocketIntegration', async () => {
    const followed = await followLive(backend);
    return [followed, `${followed.length} points as they came, the last of ${followed.at(-1)?.date}`];
  });
  await tour.step('Keep it in SQL', 'PostgresDatabase, Outbox', async () => {
    const { rows, highest, told } = await keepInSQL(live);
    const words = `${rows} rows, their event heard of ${told}; highest in ${highest.date}`;
    return [rows, words];
  });

  await tour.step('Guard it', 'SecurityIntegration', async () => {
    const { guesses, reuse, denied } = await securityStep();
    const words = `${guesses} guesses allowed; stolen refresh token: ${reuse}; denied: ${denied}`;
    return [words, words];
  });
  await tour.step('Keep it secret', 'Encryptor, LocalKeyring', async () => {
    const { keys, moved, streamedBytes } = await encryptionStep(live);
    const megabytes = streamedBytes / 1_000_000;
    return [keys, `key ${keys.join(' > ')} while in use; moved text: ${moved}; ${megabytes} MB as a stream`];
  });

  const analyse = (analysisType: string): Promise<unknown> =>
    call(host, 'custom_analysis', { data: values, analysisType });
  const findings = [
    await tour.step('Analyse: statistics', 'analysisTools', async () => {
      const facts = read(statisticsSchema, 'statistics', await analyse('statistical'));
      const { mean, median, standardDeviation: sd } = facts;
      const words = `mean ${round(mean)}, median ${round(median)}, sd ${round(sd)}, ${count(facts.outliers, 'outlier')}`;
      return [finding('statistics', words), words];
    }),
    await tour.step('Analyse: patterns', 'analysisTools', async () => {
      const { period, anomalies } = read(patternSchema, 'patterns', await analyse('pattern'));
      const season = period ? `a season of ${period} steps` : 'no season';
      const words = `${season}, ${count(anomalies, 'anomaly', 'anomalies')}`;
      return [finding('patterns', words), words];
    }),
    await tour.step('Analyse: trend', 'analysisTools', async () => {
      const { trend, slope, mannKendall } = read(trendSchema, 'trend', await analyse('trend'));
      const words = `trend ${trend}, ${round(slope)} a step, Mann-Kendall p ${probability(mannKendall?.p)}`;
      return [finding('trend', words), words];
    }),
  ];

  const horizon = Math.min(12, Math.max(3, Math.floor(values.length / 4)));
  const forecast = await tour.step(`Forecast ${horizon} steps`, 'analysisTools', async () => {
    const result = read(
      forecastSchema,
      'forecast',
      await call(host, 'forecast', { data: values, horizon }),
    ) as Forecast;
    const next = result.mean.slice(0, 3).map(round).join(', ');
    return [result, `${next}, … by ${result.method}`];
  });
  const peak = forecast.mean.indexOf(Math.max(...forecast.mean));
  findings.push(
    finding('forecast', `the forecast peaks ${peak + 1} steps ahead at ${round(forecast.mean[peak] ?? 0)}`),
  );

  await tour.step('Hand it to agents', 'AgentPool, AnalysisAgent', async () => {
    const words = await reviewByAgents(values, horizon);
    findings.push(finding('review', words));
    return [words, words];
  });

  await tour.step('Publish the findings', 'eventTools(EventStream)', async () => {
    for (const data of findings) await call(host, 'events_publish', { channel: 'finding.recorded', data });
    return [undefined, `${findings.length} events on finding.recorded`];
  });
  await tour.step('See them arrive', 'EventStream', async () => {
    const { events } = (await call(host, 'events_read', { channel: 'finding.recorded' })) as { events: unknown[] };
    return [events, `${events.length} in the log, in order; a consumer remembers each`];
  });
  await tour.step('Remember and find', 'memoryTools(LocalVectorMemory)', async () => {
    const question = 'when does the forecast peak?';
    const hit = await firstHit(host, question, findings.length);
    return [hit, `"${question}" finds: ${hit}`];
  });

  await tour.step('Ask for what is not there', 'MCPServer', async () => {
    const { isError, text } = await host.callTool('custom_analysis', { data: values, analysisType: 'magic' });
    return [isError, text.replaceAll(/\s+/g, ' ')];
  });
  await tour.step('Check health', 'healthReport', async () => {
    const { status } = await healthReport([host]);
    return [status, status];
  });
  await tour.step('Restart, and ask again', 'LocalVectorMemory on disk', async () => {
    await host.close();
    await using next = new MCPHost(fromRoot(config));
    const hit = await firstHit(next, 'is the trend increasing?', findings.length);
    return [hit, `a new process still knows: ${hit}`];
  });

  const chart = { title, values, times: series.time, forecast };
  const size = { width: Math.min(100, columns), height: 18 };
  console.log(`\n${toTerminalChart(chart, { ...size, color: process.stdout.hasColors?.() ?? false })}`);
  const picture = join(root, 'out/forecast.svg');
  await mkdir(join(root, 'out'), { recursive: true });
  await writeFile(picture, toSVG(chart));
  const near = relative(here, picture);
  tour.end(`The chart is in ${near.startsWith('..') ? picture : near}.`);
}

/** The config's paths are those of this repository, whatever directory we run in. */
function fromRoot({ servers }: MCPConfig): MCPConfig {
  const placed = Object.entries(servers).map(([name, server]) => [
    name,
    'command' in server ? { cwd: root, ...server } : server,
  ]);
  return { servers: Object.fromEntries(placed) };
}

/** The user's file, or the one that is shipped. */
function fileFrom(args: readonly string[]): string {
  const [file = shipped, ...more] = args;
  if (more.length > 0) throw new Error(`The tour takes one file, got ${args.length}: ${args.join(', ')}`);
  if (file.trim() === '') throw new Error('The name of the file is empty');
  return file;
}

/** Calls a tool and gives its structured answer; a failed call ends the tour. */
async function call(host: MCPHost, name: string, args: Record<string, unknown>): Promise<unknown> {
  const answer: ToolAnswer = await host.callTool(name, args);
  if (answer.isError) throw new Error(`${name}: ${answer.text}`);
  return answer.structuredContent;
}

/** The best hit. The consumer works beside us: ask until it has remembered all. */
async function firstHit(host: MCPHost, text: string, all: number): Promise<string> {
  for (let attempt = 0; attempt < 250; attempt++) {
    const { hits } = read(hitsSchema, 'memory_search', await call(host, 'memory_search', { text, limit: all }));
    if (hits[0] && hits.length === all) return hits[0].metadata.text;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('not all findings were remembered');
}

async function readSeries(file: string): Promise<string> {
  try {
    return await readFile(resolve(here, file), 'utf8');
  } catch (error) {
    throw new Error(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
}

function environment(backend: Backend, folder: string): Record<string, string | undefined> {
  return { ...process.env, SERIES_URL: backend.url, SERIES_KEY: backend.key, MEMORY_DIR: folder };
}

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'safla-tour-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

function count(things: readonly unknown[], one: string, many = `${one}s`): string {
  return `${things.length || 'no'} ${things.length === 1 ? one : many}`;
}

function round(value: number | null): string {
  return value === null ? 'unknown' : String(Number(value.toPrecision(4)));
}

function probability(p: number | undefined): string {
  return p === undefined ? 'unknown' : p < 0.001 ? '< 0.001' : p.toFixed(3);
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough, as `head`, is no failure.
  if (error.code === 'EPIPE') process.exit(0);
  console.error(`The tour cannot be printed: ${error.message}`);
  process.exit(1);
});

try {
  await main(fileFrom(process.argv.slice(2)));
} catch (error) {
  const reason = headline(error instanceof Error ? error.message : String(error));
  console.error(SaflaError.is(error) ? `${error.code}: ${reason}` : reason);
  process.exitCode = 1;
}
