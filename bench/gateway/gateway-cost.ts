import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { loadavg } from 'node:os';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { cpuMs } from '../process-cpu.ts';
import { type BenchTable, percentile, rounded } from '../statistics.ts';
import { type LoadResult, type LoadTarget, load } from './gateway-load.ts';

const FOLDER = import.meta.dirname;
const PORTKEY = resolve(FOLDER, 'node_modules/@portkey-ai/gateway/build/start-server.js');
const CONNECTIONS = [1, 10, 64];
const ROUNDS = 5;
/** By then everything that follows an answer is done. */
const DRAIN_MS = 3_000;
const IDLE_MS = 5_000;
const CALLS = { plain: 2_000, stream: 500 };
const AIMS = { cpuMs: 0.15, streamCpuMs: 0.33, addedMs: 0.3, firstByteMs: 0.4, rssMib: 150 };

interface System {
  name: string;
  target: LoadTarget;
  pid: number;
  stop(): void;
}

/** What a call costs the gateway, beside a bare proxy and another gateway, in one run. */
export async function gatewayCost(): Promise<BenchTable> {
  const systems = await start();
  const [mock, ...gateways] = systems;
  const rows: string[][] = [];
  try {
    for (const stream of [false, true]) {
      for (const connections of CONNECTIONS) {
        const calls = stream ? CALLS.stream : CALLS.plain;
        const measured = await measure(systems, { calls, connections, stream });
        const direct = measured.get(mock?.name ?? '');
        for (const { name, pid } of gateways) {
          const one = measured.get(name);
          if (one && direct) rows.push(rowOf({ name, pid, stream, connections, one, direct }));
        }
      }
    }
  } finally {
    for (const { stop } of systems) stop();
  }
  return {
    title: 'The gateway: what a call costs',
    about: `Chats over a provider that answers at once, ${ROUNDS} rounds in which all take turns. "Added" is the time beyond a direct call. The CPU is that of all rounds, with the work after the answers, less what the process takes in the same time without calls (the column beside it; the embedded queue looks at its timers every 20 ms): "Brokkr" also stores the records of its calls, in the same process; in the other row they leave by the queue alone, as on AWS, where another function stores them. Streams have 50 chunks. The load average of the machine at the end was ${rounded(loadavg()[0] ?? 0, 1)}: with other work beside it, all times and the CPU of all are too high, and only the relations between the rows mean something. Portkey 1.15.2 answers every stream of this provider with a 500 (a fault of our set-up or its own), so its figures there are those of failures. Records, limits, routing, prices and the log are on. Our aims: ${AIMS.cpuMs} ms of CPU for a call and ${AIMS.streamCpuMs} ms for a stream, ${AIMS.addedMs} ms added at one connection, ${AIMS.firstByteMs} ms to the first byte, ${AIMS.rssMib} MiB.`,
    columns: [
      'calls',
      'connections',
      'gateway',
      'CPU ms',
      'idle CPU, ms a second',
      'added p50 ms',
      'added p99 ms',
      'added to the first byte, p50 ms',
      'MiB',
      'failed calls',
      'aims reached',
    ],
    rows,
  };
}

interface Measured extends LoadResult {
  cpuMs: number;
  /** The CPU of the process without calls: milliseconds a second. */
  idleCpu: number;
}

async function measure(systems: readonly System[], shape: { calls: number; connections: number; stream: boolean }) {
  // Twice, so that the code of the hot path is compiled.
  for (const { target } of [...systems, ...systems]) await load(target, shape);
  await wait(DRAIN_MS);
  const all = new Map<string, Measured>();
  const idle = await cpuDuring(systems, () => wait(IDLE_MS));
  const busy = await cpuDuring(systems, () => rounds(systems, shape, all));
  for (const { name } of systems) {
    const one = all.get(name);
    const standing = idle.of(name) / idle.ms;
    if (!one) continue;
    one.idleCpu = standing * 1_000;
    one.cpuMs = (busy.of(name) - standing * busy.ms) / (ROUNDS * shape.calls);
  }
  return all;
}

const wait = (ms: number) => new Promise((later) => setTimeout(later, ms));

/** The CPU that each process takes during the work, and how long the work lasts. */
async function cpuDuring(systems: readonly System[], work: () => Promise<unknown>) {
  const before = new Map(systems.map(({ name, pid }) => [name, cpuMs(pid)]));
  const start = performance.now();
  await work();
  const ms = performance.now() - start;
  const taken = new Map(systems.map(({ name, pid }) => [name, cpuMs(pid) - (before.get(name) ?? 0)]));
  return { ms, of: (name: string) => taken.get(name) ?? 0 };
}

async function rounds(
  systems: readonly System[],
  shape: { calls: number; connections: number; stream: boolean },
  all: Map<string, Measured>,
) {
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, target } of systems) {
      const { totalMs, firstByteMs, failed } = await load(target, shape);
      const known = all.get(name) ?? { totalMs: [], firstByteMs: [], failed: [], cpuMs: 0, idleCpu: 0 };
      known.totalMs.push(...totalMs);
      known.firstByteMs.push(...firstByteMs);
      known.failed.push(...failed);
      all.set(name, known);
    }
  }
  // Records are stored after the answers, and that is a part of what a call costs.
  await wait(DRAIN_MS);
}

interface RowFacts {
  name: string;
  pid: number;
  stream: boolean;
  connections: number;
  one: Measured;
  direct: Measured;
}

function rowOf({ name, pid, stream, connections, one, direct }: RowFacts): string[] {
  const added = (of: 'totalMs' | 'firstByteMs', share: number) => percentile(one[of], share) - percentile(direct[of], share);
  const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
  const reached = [
    ['CPU', one.cpuMs <= (stream ? AIMS.streamCpuMs : AIMS.cpuMs)] as const,
    ...(connections === 1 && !stream ? [['added', added('totalMs', 0.5) <= AIMS.addedMs] as const] : []),
    ...(connections === 1 && stream ? [['first byte', added('firstByteMs', 0.5) <= AIMS.firstByteMs] as const] : []),
    ['memory', rss <= AIMS.rssMib] as const,
  ];
  return [
    stream ? 'streamed' : 'whole',
    String(connections),
    name,
    rounded(one.cpuMs, 3),
    rounded(one.idleCpu, 0),
    known(added('totalMs', 0.5)),
    known(added('totalMs', 0.99)),
    stream ? known(added('firstByteMs', 0.5)) : '',
    rounded(rss, 0),
    String(one.failed.length),
    name.startsWith('Brokkr') ? reached.map(([aim, met]) => `${aim}: ${met ? 'yes' : 'no'}`).join(', ') : '',
  ];
}

/** No number where every call failed. */
const known = (ms: number) => (Number.isNaN(ms) ? '–' : rounded(ms));

async function start(): Promise<System[]> {
  if (!existsSync(PORTKEY)) {
    execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'], { cwd: FOLDER, stdio: 'inherit' });
  }
  const mock = await child('mock-upstream.ts');
  const bare = await child('bare-proxy.ts', mock.output.url);
  const brokkr = await child('brokkr-child.ts', mock.output.url);
  const answering = await child('brokkr-child.ts', mock.output.url, 'elsewhere');
  const portkey = await startPortkey();
  const system = (name: string, { pid, stop }: Process, url: string, headers: Record<string, string> = {}): System => ({
    name,
    pid,
    stop,
    target: { url, headers, model: 'gpt-4o' },
  });
  return [
    system('direct', mock, mock.output.url),
    system('bare Node proxy', bare, bare.output.url),
    system('Brokkr', brokkr, brokkr.output.url, { authorization: `Bearer ${brokkr.output.key}` }),
    system('Brokkr, records stored elsewhere', answering, answering.output.url, { authorization: `Bearer ${answering.output.key}` }),
    system('Portkey', portkey, portkey.url, {
      authorization: 'Bearer sk-bench',
      'x-portkey-provider': 'openai',
      'x-portkey-custom-host': `${mock.output.url}/v1`,
    }),
  ];
}

interface Process {
  pid: number;
  stop(): void;
}
const Output = z.object({ url: z.string(), key: z.string().default('') });

/** Runs a module of this folder. Resolves when it has printed its line of JSON. */
async function child(module: string, ...args: string[]): Promise<Process & { output: z.infer<typeof Output> }> {
  const process_ = spawn(process.execPath, [resolve(FOLDER, module), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const line = await new Promise<string>((done, failed) => {
    createInterface({ input: process_.stdout }).once('line', done);
    process_.once('exit', (code) => failed(new Error(`${module} ended with ${code} before it was ready`)));
  });
  return { output: Output.parse(JSON.parse(line)), pid: process_.pid ?? 0, stop: () => void process_.kill('SIGTERM') };
}

async function startPortkey(): Promise<Process & { url: string }> {
  const port = await freePort();
  const process_ = spawn(process.execPath, [PORTKEY, '--headless', `--port=${port}`], {
    stdio: 'ignore',
    env: { ...process.env, NODE_ENV: 'production' },
  });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 200; tries++) {
    if (
      await fetch(url).then(
        () => true,
        () => false,
      )
    )
      return { url, pid: process_.pid ?? 0, stop: () => void process_.kill('SIGTERM') };
    await new Promise((later) => setTimeout(later, 100));
  }
  throw new Error('Portkey did not start');
}

const freePort = () =>
  new Promise<number>((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address ? address.port : 0));
    });
  });
