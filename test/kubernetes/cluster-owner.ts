import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { SupervisorRequest } from './cluster-supervisor.ts';
import type { Binaries } from './kubernetes-binaries.ts';

/** A supervisor that this process owns. It and its cluster end with this process, however this process ends. */
export interface OwnedSupervisor {
  directory: string;
  /** Resolves when supervisor, processes and folder are gone. If `stop` was not called, it resolves to the reason. */
  ended: Promise<string | undefined>;
  stop(): Promise<void>;
  /** Lets this process end although the supervisor still runs. */
  unref(): void;
}

const STOP_TIMEOUT_MS = 20_000;

export function ownSupervisor(binaries: Binaries, log: (line: string) => void): OwnedSupervisor {
  const directory = mkdtempSync(join(tmpdir(), 'brokkr-kubernetes-'));
  const request: SupervisorRequest = { directory, binaries };
  const child = spawn(process.execPath, [join(import.meta.dirname, 'cluster-supervisor.ts'), JSON.stringify(request)], {
    // The supervisor has a process group of its own, so that it survives Ctrl-C or a kill of our group, and can clean up.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const complaints: string[] = [];
  createInterface({ input: child.stdout }).on('line', log);
  createInterface({ input: child.stderr }).on('line', (line) => complaints.push(line));
  child.stdin.on('error', () => {});

  let isStopping = false;
  const ended = new Promise<string | undefined>((resolve) => {
    child.on('error', (error) => complaints.push(error.message));
    child.on('close', (code, signal) => {
      if (code !== 0) removeRemains(child.pid, directory);
      resolve(isStopping ? undefined : complaints.join('\n') || `the cluster's supervisor ended with ${signal ?? `code ${code}`}`);
    });
  });
  return {
    directory,
    ended,
    stop: async () => {
      isStopping = true;
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await ended;
      clearTimeout(timer);
    },
    unref: () => {
      child.unref();
      for (const pipe of [child.stdin, child.stdout, child.stderr]) if (pipe instanceof Socket) pipe.unref();
    },
  };
}

/** Removes what a killed supervisor leaves behind. Its process group is the cluster's processes. */
function removeRemains(group: number | undefined, directory: string): void {
  try {
    if (group !== undefined) process.kill(-group, 'SIGKILL');
  } catch {
    // The supervisor had ended all processes.
  }
  rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
}
