import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ConnectionError, NotFoundError } from '../../../core/index.js';
import { foldersWith, programFile } from '../launch/binaries.js';
import { temporaryFolder } from '../launch/folders.js';
import { launchService } from '../launch/launch-service.js';
import type { StopSignals } from '../launch/server-process.js';
import type { ResolverContext, ServiceResolver } from '../resolver.js';
import type { Namespace, ServiceName, TestService } from '../test-service.js';

/** What a container runs. */
export interface ContainerPlan {
  /** Mounted read-only: what must not stand among arguments, which everybody can read. */
  readonly file?: { readonly path: string; readonly text: string };
  readonly environment?: Readonly<Record<string, string>>;
  /** Of the image's own program. */
  readonly args: readonly string[];
  /** With a password that only this container has: what answers to it is ours. */
  readonly url: (port: number) => string;
}

/** How one service is run in a container. */
export interface DockerRecipe {
  readonly name: ServiceName;
  readonly image: string;
  /** Inside of the container. */
  readonly port: number;
  readonly signals?: StopSignals;
  prepare(config: ResolverContext['config']): ContainerPlan;
  /** Rejects until the server accepts work. */
  version(url: string): Promise<string>;
  openNamespace(url: string): Promise<Namespace>;
}

const engineMs = 10_000;

/** What the command needs to find its engine and credentials. */
const inherited = [
  'HOME',
  'DOCKER_HOST',
  'DOCKER_CONTEXT',
  'DOCKER_CONFIG',
  'DOCKER_TLS_VERIFY',
  'DOCKER_CERT_PATH',
  'XDG_RUNTIME_DIR',
];

/**
 * A container by the `docker` command, or podman's. It runs in the foreground of that command, which passes
 * signals on and removes the container at its end: so it ends like a program of ours, also by the watchdog.
 */
export function dockerWay(recipe: DockerRecipe): ServiceResolver {
  return {
    kind: 'docker',
    real: true,
    way: `docker or podman with ${recipe.image}`,
    async resolve(context) {
      const file = await dockerProgram(context.environment.PATH);
      await assertEngine(file, context);
      return await runContainer(file, recipe, context);
    },
  };
}

async function dockerProgram(path: string | undefined): Promise<string> {
  for (const program of ['docker', 'podman']) {
    const [folder] = await foldersWith([program], path, []);
    if (folder !== undefined) return join(folder, programFile(program));
  }
  throw new NotFoundError('no docker command on PATH');
}

/** The command alone is not enough: it may be there without an engine. */
async function assertEngine(file: string, { scope, environment }: ResolverContext): Promise<void> {
  const env = environmentOf(environment);
  const asked = promisify(execFile)(file, ['version', '--format', '{{.Server.Version}}'], { timeout: engineMs, env });
  await scope
    .run(() => asked)
    .catch((cause: unknown) => {
      scope.throwIfCancelled();
      const { stderr = '' } = cause as { readonly stderr?: string };
      const reason = stderr.trim().split('\n').at(-1) || `it did not answer within ${engineMs} ms`;
      throw new ConnectionError(`the container engine of ${file} does not work: ${reason}`, { cause });
    });
}

async function runContainer(program: string, recipe: DockerRecipe, context: ResolverContext): Promise<TestService> {
  const { watchdog, environment, config } = context;
  const { name, image, port: inner, signals = { polite: 'SIGTERM', immediate: 'SIGTERM' } } = recipe;
  const { file, args, url, environment: settings = {} } = recipe.prepare(config);
  const folder = await temporaryFolder(tmpdir(), {}, watchdog);
  const [mounted, variables] = [join(folder.path, 'settings'), join(folder.path, 'environment')];
  const container = `safla-test-${randomBytes(8).toString('hex')}`;
  const env = environmentOf(environment);
  return await launchService(
    {
      name,
      kind: 'docker',
      origin: image,
      async prepare() {
        // Whoever the server runs as inside must be able to read it; the folder around it is ours alone.
        if (file) await writeFile(mounted, file.text, { mode: 0o644 });
        const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`);
        await writeFile(variables, lines.join(''), { mode: 0o600 });
      },
      command: (port) => ({
        file: program,
        args: [
          ...['run', '--rm', '--name', container, '--publish', `127.0.0.1:${port}:${inner}`, '--env-file', variables],
          ...(file ? ['--volume', `${mounted}:${file.path}:ro`] : []),
          image,
          ...args,
        ],
        folder: folder.path,
        environment: env,
        signals,
      }),
      probe: (port) => recipe.version(url(port)).catch(() => undefined),
      url,
      openNamespace: recipe.openNamespace,
      async clean() {
        const removal = ['rm', '--force', '--volumes', container];
        await promisify(execFile)(program, removal, { timeout: engineMs, env }).catch(() => undefined);
        await folder.remove();
      },
    },
    context,
  );
}

function environmentOf(environment: ResolverContext['environment']): Record<string, string> {
  const kept = ['PATH', ...inherited].map((name) => [name, environment[name]] as const);
  return Object.fromEntries(kept.filter((pair): pair is [string, string] => pair[1] !== undefined));
}
