import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** The folder of an engine that is fetched. It lies outside the checkout, so that every clone of this user finds it. */
export const engineCache = (engine: string): string => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'brokkr', engine);

export interface EngineProcess {
  stop(): Promise<void>;
}
export interface EngineOptions {
  name: string;
  command: string;
  args: readonly string[];
  cwd: string;
  env?: Record<string, string>;
  /** Any answer from this address means that the engine is up. */
  url: string;
  withinMs: number;
}

/** This shell kills the engine when its standard input closes, which happens however this process ends. */
const TIED_TO_STDIN = 'exec 3<&0; (read -r _ <&3; kill -9 $$) </dev/null >/dev/null 2>&1 & exec "$@" </dev/null 3<&-';

export async function startEngineProcess({ name, command, args, cwd, env = {}, url, withinMs }: EngineOptions): Promise<EngineProcess> {
  const child = spawn('/bin/sh', ['-c', TIED_TO_STDIN, `brokkr-${name}`, command, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (output = (output + text).slice(-4_000)));
  const ended = once(child, 'exit').then(() => `ended:\n${output}`);
  const answered = async () => {
    for (const deadline = performance.now() + withinMs; performance.now() < deadline; await delay(100)) {
      const response = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
      await response?.body?.cancel();
      if (response) return undefined;
    }
    return `did not answer within ${withinMs} ms:\n${output}`;
  };
  const failure = await Promise.race([answered(), ended]);
  const stop = async () => {
    child.kill('SIGTERM');
    if ((await Promise.race([ended, delay(5_000)])) === undefined) child.kill('SIGKILL');
    await ended;
    child.stdin.destroy();
  };
  if (failure === undefined) return { stop };
  await stop();
  throw new Error(`${name} ${failure}`);
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

/** Runs the tests as `npm test` does, with additional environment variables. Resolves to the exit code. */
export async function runTests(args: readonly string[], env: Record<string, string>): Promise<number> {
  const jest = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--selectProjects', 'host', ...args];
  const child = spawn(process.execPath, jest, { stdio: 'inherit', env: { ...process.env, ...env } });
  const [code] = await once(child, 'exit');
  return typeof code === 'number' ? code : 1;
}
