import { readFileSync, rmSync, writeFileSync } from 'node:fs';

/** Debian's word for "start no service while packages are installed" (invoke-rc.d(8)). */
const policyFile = '/usr/sbin/policy-rc.d';

const mark = '# Written by the test run of @safla/sdk, process ';
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Removes the policy of an earlier run that was killed before it could. One that others wrote stays. */
export function removeOldPolicy(file: string = policyFile): void {
  const owner = ownerOf(file);
  if (owner !== undefined && !isRunning(owner)) rmSync(file, { force: true });
}

/** Lets no service start until it is disposed or a signal ends this process. A policy that is there already stays. */
export function withoutServices(file: string = policyFile): Disposable {
  removeOldPolicy(file);
  const text = `#!/bin/sh\n${mark}${process.pid}\nexit 101\n`;
  try {
    writeFileSync(file, text, { mode: 0o755, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return { [Symbol.dispose]: () => undefined };
  }
  const end = (): void => {
    rmSync(file, { force: true });
    for (const signal of signals) process.off(signal, onSignal);
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    end();
    process.kill(process.pid, signal);
  };
  for (const signal of signals) process.on(signal, onSignal);
  return { [Symbol.dispose]: end };
}

/** The process that wrote a policy of ours. */
function ownerOf(file: string): number | undefined {
  try {
    const line = readFileSync(file, 'utf8')
      .split('\n')
      .find((one) => one.startsWith(mark));
    return line === undefined ? undefined : Number(line.slice(mark.length));
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
