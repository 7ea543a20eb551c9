/**
 * As much of `mongod`'s command line as a launcher needs to start the emulator in its place. It is no MongoDB:
 * it exists to test the launching.
 */
import { MongoEmulator } from './mongo-emulator.js';

const args = process.argv.slice(2);
const argument = (name: string): string | undefined => {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args[at + 1];
};

if (args.includes('--version')) {
  console.log('db version v8.0.0');
} else {
  const emulator = await MongoEmulator.start({
    port: Number(argument('--port')),
    setName: argument('--replSet') ?? 'emulator',
  });
  emulator.intercept = (name) => {
    if (name === 'shutdown') setTimeout(() => process.exit(0), 10);
    if (name !== 'replSetInitiate') return name === 'shutdown' ? { ok: 1 } : undefined;
    setTimeout(() => console.log('transition to primary complete; database writes are now permitted (emulator)'), 10);
    return { ok: 1 };
  };
  console.log('Waiting for connections (emulator)');
  const end = (): void => process.exit(0);
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
}
