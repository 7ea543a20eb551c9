import type { ResolverContext } from '../resolver.js';
import { RunningService, type RunningServiceParts, type TestService } from '../test-service.js';
import { type StartPlan, startOnFreePort } from './start-on-free-port.js';

/** A server of ours, and the service that it becomes. The probe gives its version. */
export interface LaunchPlan
  extends Pick<RunningServiceParts, 'name' | 'kind' | 'origin' | 'openNamespace'>,
    Pick<StartPlan<string>, 'command' | 'probe'> {
  url(port: number): string;
  /** Makes what every start of it needs. @default nothing */
  prepare?(): Promise<void>;
  /** Removes what it leaves behind: after the server has stopped, or when it cannot be started. */
  clean(): Promise<unknown>;
}

/** Starts a server on a free port. @throws ConnectionError with the end of the server's log */
export async function launchService(plan: LaunchPlan, { scope, watchdog }: ResolverContext): Promise<TestService> {
  const { name, kind, origin, openNamespace, command, probe } = plan;
  try {
    await plan.prepare?.();
    const server = await startOnFreePort({ command, probe, scope, watchdog });
    return new RunningService({
      name,
      kind,
      origin,
      version: server.answer,
      url: plan.url(server.port),
      openNamespace,
      async release() {
        await server.process.stop();
        await plan.clean();
      },
    });
  } catch (error) {
    await plan.clean();
    throw error;
  }
}
