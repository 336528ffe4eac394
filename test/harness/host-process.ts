import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Api, api } from './client.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** `npm start` as people run it, in a process of its own. */
export interface HostProcess {
  url: string;
  /** The key that the host has shown; empty if it has shown none. */
  adminPak: string;
  /** A client with that key, below `/api/v1`. */
  admin: Api;
  root: Api;
  pid: number;
  /** The embedded store's process. */
  dynamoDbPid: number;
  /** The time from the start of the process until it listened. */
  startedInMs: number;
  stdout(): string;
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
  /** Resolves to the exit code or signal of the process. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

export interface HostProcessOptions {
  dataDir?: string;
  args?: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** The key of an earlier start, for `admin`. */
  adminPak?: string;
}

export const temporaryDataDir = (): Promise<string> => mkdtemp(join(tmpdir(), 'brokkr-test-'));

const processes = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of processes) child.kill('SIGKILL');
});

/** Runs a command of the host until it ends by itself, or by a signal that is sent after a log text. After ten seconds it is killed. */
export async function runHost(
  options: HostProcessOptions & { signalOn?: { text: string; signal: NodeJS.Signals } },
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { child, stdout, stderr, ended } = spawnHost(options);
  const { signalOn } = options;
  let signalled = false;
  child.stderr?.on('data', () => {
    if (!signalOn || signalled || !stderr().includes(signalOn.text)) return;
    signalled = true;
    child.kill(signalOn.signal);
  });
  const bound = setTimeout(() => child.kill('SIGKILL'), 10_000);
  const { code } = await ended;
  clearTimeout(bound);
  return { code, stdout: stdout(), stderr: stderr() };
}

/** Starts a host on a free port. Resolves when it listens; rejects with its standard error if it ends before. */
export async function startHostProcess(options: HostProcessOptions = {}): Promise<HostProcess> {
  const started = performance.now();
  const { child, stdout, stderr, ended } = spawnHost({ ...options, args: ['--port', '0', ...(options.args ?? [])] });
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', () => stdout().includes('Ctrl-C stops.') && resolve());
    void ended.then(({ code, signal }) => reject(new Error(`the host ended with ${signal ?? code}: ${stderr()}`)));
  });
  const startedInMs = performance.now() - started;
  const url = /^API: (\S+)\/swagger-ui/m.exec(stdout())?.[1] ?? '';
  const shown = /^ {2}(brokkr_\S+)$/m.exec(stdout())?.[1] ?? '';
  const pid = child.pid ?? 0;
  const host = { url, adminPak: shown, pid, startedInMs, stdout, stderr, ended, kill: (signal: NodeJS.Signals) => void child.kill(signal) };
  return { ...host, admin: api(url, shown || options.adminPak), root: api(url, undefined, ''), dynamoDbPid: await childOf(pid) };
}

function spawnHost({ dataDir, args = [], env = {} }: HostProcessOptions) {
  const child = spawn(process.execPath, ['infra/host/main.ts', ...(dataDir === undefined ? ['--ephemeral'] : []), ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH ?? '', ...(dataDir !== undefined && { BROKKR_DATA_DIR: dataDir }), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  processes.add(child);
  const collect = (stream: NodeJS.ReadableStream | null) => {
    let text = '';
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    return () => text;
  };
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('close', (code, signal) => {
      processes.delete(child);
      resolve({ code, signal });
    }),
  );
  return { child, stdout: collect(child.stdout), stderr: collect(child.stderr), ended };
}

/** The first child of a process. A host has only one, its store. */
async function childOf(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return Number(children.trim().split(' ')[0]);
}

/** Whether a process with this id exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
