import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { cpuMs } from './process-cpu.ts';

/** A host in a process of its own, so that its CPU can be told from that of whoever asks it. */
export interface HostProcess {
  url: string;
  adminPak: string;
  /** CPU milliseconds so far, of the server and of its embedded store. */
  cpu(): { serverMs: number; storeMs: number };
  stop(): Promise<void>;
}

/** Starts `node bench/host-child.ts`: the host on embedded engines that keep nothing. */
export async function startHostProcess(): Promise<HostProcess> {
  const child = spawn(process.execPath, [resolve(import.meta.dirname, 'host-child.ts')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const line = await new Promise<string>((done, failed) => {
    createInterface({ input: child.stdout }).once('line', done);
    child.once('exit', (code) => failed(new Error(`the host ended with ${code} before it was ready`)));
  });
  const { url, adminPak, storePid } = JSON.parse(line) as { url: string; adminPak: string; storePid: number };
  const serverPid = child.pid ?? 0;
  return {
    url,
    adminPak,
    cpu: () => ({ serverMs: cpuMs(serverPid), storeMs: cpuMs(storePid) }),
    stop: () =>
      new Promise((done) => {
        child.once('exit', () => done());
        child.kill('SIGTERM');
      }),
  };
}
