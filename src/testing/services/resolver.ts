import { type CallScope, NotFoundError } from '../../core/index.js';
import { type ServiceAttempt, ServiceUnavailableError } from '../service-unavailable-error.js';
import type { Watchdog } from './launch/watchdog.js';
import type { ServiceKind, ServiceName, TestService } from './test-service.js';

/** What a resolver may use. */
export interface ResolverContext {
  /** The variables to read, `process.env` unless a test gives its own. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Settings of a server that we start: `postgresql.conf` or `redis.conf` names and values. */
  readonly config: Readonly<Record<string, string | number | boolean>>;
  /** Where prepared files are kept between runs. */
  readonly cachePath: string | undefined;
  /** Ends when the start is cancelled or out of time. */
  readonly scope: CallScope;
  readonly watchdog: Watchdog;
}

/** Which ways may be used. */
export interface WayFilter {
  /** `real` leaves out everything that only behaves like the service. @default 'any' */
  readonly required?: 'any' | 'real' | undefined;
  /** Only ways of these kinds. @default all */
  readonly kinds?: readonly ServiceKind[] | undefined;
}

/** One way to get a service. A new way is one more of these in the service's list. */
export interface ServiceResolver {
  readonly kind: ServiceKind;
  /** False for something that only behaves like the service. */
  readonly real: boolean;
  /** As it reads in reports and errors. */
  readonly way: string;
  /** Gives a service that accepts work. Throws NotFoundError where this way does not exist here, anything else where it is broken. */
  resolve(context: ResolverContext): Promise<TestService>;
}

/** All ways to get one service, in the order they are tried. */
export interface ServiceRecipe {
  readonly name: ServiceName;
  readonly ways: readonly ServiceResolver[];
  /** The one command or variable that helps when no way works. */
  readonly remedy: string;
}

/** The service, and the ways before it that did not work. */
export interface ResolvedService {
  readonly service: TestService;
  readonly attempts: readonly ServiceAttempt[];
}

/**
 * Takes the first way that works.
 *
 * @throws ServiceUnavailableError when none does; the scope's reason when it ends first
 */
export async function resolveService(
  recipe: ServiceRecipe,
  context: ResolverContext,
  filter: WayFilter = {},
): Promise<ResolvedService> {
  const attempts: ServiceAttempt[] = [];
  for (const { way, kind, real, resolve } of recipe.ways) {
    try {
      if (filter.required === 'real' && !real) throw new NotFoundError("not used, because of required: 'real'");
      if (filter.kinds && !filter.kinds.includes(kind)) throw new NotFoundError('not among the kinds asked for');
      return { service: await resolve(context), attempts };
    } catch (cause) {
      context.scope.throwIfCancelled();
      const absent = cause instanceof NotFoundError;
      const reason = cause instanceof Error ? cause.message : String(cause);
      attempts.push({ service: recipe.name, way, reason, broken: !absent, ...(absent ? {} : { cause }) });
    }
  }
  throw new ServiceUnavailableError(attempts, [recipe.remedy]);
}
