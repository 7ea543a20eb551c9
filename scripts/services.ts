import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ServiceUnavailableError, TestContainer } from '../src/testing/index.js';
import { run } from './run.js';
import { removeOldPolicy, withoutServices } from './service-policy.js';

/** What the test run got. */
export interface Services {
  /** For people: what was found or installed, and what could not be had. */
  readonly lines: string[];
  /** `POSTGRES_URL` and `REDIS_URL`, which `TestContainer.start` in a test finds first. */
  readonly env: Record<string, string>;
  /** Names of the services, and of the programs that tests start themselves, that could not be had. */
  readonly missing: string[];
  stop(): Promise<void>;
}

/** Programs that tests start themselves, by the Debian package that has them. */
const programs = { 'redis-server': 'redis-server', 'nats-server': 'nats-server' } as const;
const variables = { postgres: 'POSTGRES_URL', redis: 'REDIS_URL' } as const;

/** One server of each kind for the whole run. With `install`, what is missing is installed as root on Debian. */
export async function ensureServices({ install }: { install: boolean }): Promise<Services> {
  const container = new TestContainer({ required: 'real' });
  const services: Services = { lines: [], env: {}, missing: [], stop: () => container.stop() };
  const failures: string[] = [];
  const mayInstall = install && canInstall();
  if (mayInstall) removeOldPolicy();
  for (const [program, source] of Object.entries(programs)) {
    if (!isOnPath(program) && mayInstall) services.lines.push(await installPackage(source));
    if (isOnPath(program)) continue;
    services.missing.push(program);
    failures.push(`${program}: not on PATH; as root on Debian: apt-get install ${source}`);
  }
  for (const name of ['postgres', 'redis'] as const) {
    const failure = await tryStart(container, name);
    if (failure) {
      services.missing.push(name);
      failures.push(...failure.split('\n'));
    } else services.env[variables[name]] = container[name].url;
  }
  services.lines.push(...container.report(), ...failures);
  return services;
}

async function tryStart(container: TestContainer, name: keyof typeof variables): Promise<string | undefined> {
  try {
    await container.start({ [name]: true });
    return undefined;
  } catch (error) {
    if (error instanceof ServiceUnavailableError) return error.message;
    throw error;
  }
}

function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version') && existsSync('/usr/bin/apt-get');
}

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Installs the programs only: no system-wide server is started. Gives a line that says how it went. */
async function installPackage(name: string): Promise<string> {
  using _policy = withoutServices();
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', name]]) {
    const { code, output } = await run('apt-get', args, { env });
    if (code !== 0)
      return `${name}: apt-get ${args.join(' ')} failed: ${output.trim().split('\n').slice(-3).join(' | ')}`;
  }
  return `${name}: not found on this machine, so it was installed: apt-get install ${name}`;
}
