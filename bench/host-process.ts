import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { cpuMs } from './process-cpu.ts';

/** A host in a process of its own, so that its CPU time can be measured apart from that of its callers. */
export interface HostProcess {
  url: string;
  adminPak: string;
  /** The CPU milliseconds so far, of the server and of its embedded store. */
  cpu(): { serverMs: number; storeMs: number };
  stop(): Promise<void>;
}

/** Starts `node bench/host-child.ts`, the host on embedded engines, which keep their data in a folder or nowhere. */
export async function startHostProcess({
  dataDir = '',
  nodeFlags = [],
}: {
  dataDir?: string;
  nodeFlags?: readonly string[];
} = {}): Promise<HostProcess> {
  const { output, pid, stop } = await startChild('host-child.ts', { nodeFlags, args: [dataDir] });
  const { url, adminPak, storePid } = HostOutput.parse(output);
  return { url, adminPak, cpu: () => ({ serverMs: cpuMs(pid), storeMs: cpuMs(storePid) }), stop };
}
const HostOutput = z.object({ url: z.string(), adminPak: z.string(), storePid: z.number() });

/** Starts a bare Node server that answers 304 to every request. */
export async function startBareServer(): Promise<{ url: string; cpuMs(): number; stop(): Promise<void> }> {
  const { output, pid, stop } = await startChild('bare-child.ts');
  return { url: z.object({ url: z.string() }).parse(output).url, cpuMs: () => cpuMs(pid), stop };
}

/** Runs a module of this folder. Resolves when it has printed its line of JSON, which means that it is ready. */
async function startChild(module: string, { nodeFlags = [], args = [] }: { nodeFlags?: readonly string[]; args?: readonly string[] } = {}) {
  const child = spawn(process.execPath, [...nodeFlags, resolve(import.meta.dirname, module), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((done, failed) => {
    createInterface({ input: child.stdout }).once('line', done);
    child.once('exit', (code) => failed(new Error(`${module} ended with ${code} before it was ready`)));
  });
  const output: unknown = JSON.parse(line);
  const stop = () =>
    new Promise<void>((done) => {
      child.once('exit', () => done());
      child.kill('SIGTERM');
    });
  return { output, pid: child.pid ?? 0, stop };
}
