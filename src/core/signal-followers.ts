type Follower = (reason: unknown) => void;

interface Following {
  readonly followers: Set<Follower>;
  readonly stop: () => void;
}

const followed: WeakMap<AbortSignal, Following> = new WeakMap();

/**
 * Calls `follower` when `signal` aborts, until the returned function is called. However many calls
 * share a signal, it holds one listener of ours, and none once all have settled: Node.js warns of a
 * leak at eleven.
 */
export function followSignal(signal: AbortSignal, follower: Follower): () => void {
  const following = followed.get(signal) ?? startFollowing(signal);
  following.followers.add(follower);
  return () => {
    following.followers.delete(follower);
    if (following.followers.size === 0) following.stop();
  };
}

function startFollowing(signal: AbortSignal): Following {
  const followers = new Set<Follower>();
  const onAbort = (): void => {
    stop();
    for (const follower of [...followers]) follower(signal.reason);
  };
  const stop = (): void => {
    followed.delete(signal);
    signal.removeEventListener('abort', onAbort);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  const following = { followers, stop };
  followed.set(signal, following);
  return following;
}
