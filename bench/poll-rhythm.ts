import { benchClient, inParallel } from './bench-client.ts';
import { createBenchAgent, createBenchGenerator } from './bench-fleet.ts';
import { type HostProcess, startBareServer, startHostProcess } from './host-process.ts';
import { runOpenLoop } from './open-loop.ts';
import { type BenchTable, percentile, rounded } from './statistics.ts';

const AGENTS = 100;
const PER_SECOND = 100;
const SECONDS = 10;
const ROUNDS = 5;

interface Round {
  bareMs: number;
  serverMs: number;
  storeMs: number;
}

/** Measures the cost of an idle poll at the rate of a fleet, in turns with a bare Node server at the same rate. */
export async function pollRhythm(): Promise<BenchTable> {
  const [host, bare] = await Promise.all([startHostProcess(), startBareServer()]);
  const client = benchClient(host.url, host.adminPak, AGENTS);
  const bareClient = benchClient(bare.url, '', AGENTS);
  try {
    const pollHost = await preparePolls(client);
    const pollBare = () => bareClient.call('GET', '/', { expect: 304 });
    // Warms both up, until their code is compiled and their connections are open.
    await inParallel(5_000, 32, pollHost);
    await inParallel(5_000, 32, pollBare);
    const rounds: Round[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const bareMs = await perCall(bare.cpuMs, pollBare);
      rounds.push({ bareMs, ...(await perPoll(host, pollHost)) });
    }
    const closed = await closedLoop(host, bare.cpuMs, pollHost, pollBare);
    return tableOf(rounds, closed);
  } finally {
    await Promise.all([client.close(), bareClient.close()]);
    await Promise.all([host.stop(), bare.stop()]);
  }
}

/** Creates the agents. Returns a function that polls as one agent after the other. */
async function preparePolls(client: ReturnType<typeof benchClient>): Promise<(n: number) => Promise<unknown>> {
  const generator = await createBenchGenerator(client);
  const agents = await inParallel(AGENTS, 16, async (n) => {
    const { id, pak } = await createBenchAgent(client, `agent-${n}`, generator);
    const { revision } = await client.call<{ revision: string }>('GET', `/api/v1/agents/${id}/assignments`, { pak });
    return { path: `/api/v1/agents/${id}/assignments` as const, pak, etag: `"${revision}"` };
  });
  return (n) => {
    const agent = agents[n % agents.length];
    if (!agent) throw new Error('no agents');
    return client.call('GET', agent.path, { pak: agent.pak, etag: agent.etag, expect: 304 });
  };
}

async function perCall(cpuMs: () => number, call: (n: number) => Promise<unknown>): Promise<number> {
  const before = cpuMs();
  const count = await runOpenLoop(PER_SECOND, SECONDS, call);
  return (cpuMs() - before) / count;
}

async function perPoll(host: HostProcess, poll: (n: number) => Promise<unknown>): Promise<Omit<Round, 'bareMs'>> {
  const before = host.cpu();
  const count = await runOpenLoop(PER_SECOND, SECONDS, poll);
  const after = host.cpu();
  return { serverMs: (after.serverMs - before.serverMs) / count, storeMs: (after.storeMs - before.storeMs) / count };
}

async function closedLoop(
  host: HostProcess,
  bareCpuMs: () => number,
  pollHost: (n: number) => Promise<unknown>,
  pollBare: () => Promise<unknown>,
): Promise<Round> {
  const count = 10_000;
  const [bareBefore, before] = [bareCpuMs(), host.cpu()];
  await inParallel(count, 64, pollBare);
  await inParallel(count, 64, pollHost);
  const after = host.cpu();
  return {
    bareMs: (bareCpuMs() - bareBefore) / count,
    serverMs: (after.serverMs - before.serverMs) / count,
    storeMs: (after.storeMs - before.storeMs) / count,
  };
}

function tableOf(rounds: readonly Round[], closed: Round): BenchTable {
  const median = (of: (round: Round) => number) => percentile(rounds.map(of), 0.5);
  const row = (name: string, { bareMs, serverMs, storeMs }: Round) => [
    name,
    ...[bareMs, serverMs, storeMs].map((value) => rounded(value)),
    rounded(serverMs / bareMs, 1),
  ];
  return {
    title: 'An idle poll at the rhythm of a fleet',
    about: `${AGENTS} agents poll ${PER_SECOND} times a second in an open loop, and all answers are 304, for ${SECONDS} s in each of ${ROUNDS} rounds, in turns with a bare Node server that answers 304 at the same rate. The figures are the medians of the rounds. At this rate no reads are coalesced: each poll wakes both processes up. The aim: at most 1 ms of the server's CPU.`,
    columns: ['rate', 'bare Node CPU ms', 'server CPU ms', 'store CPU ms', 'server / bare'],
    rows: [
      row(`${PER_SECOND} a second`, {
        bareMs: median(({ bareMs }) => bareMs),
        serverMs: median(({ serverMs }) => serverMs),
        storeMs: median(({ storeMs }) => storeMs),
      }),
      row('as fast as they are answered, 64 at once', closed),
    ],
  };
}
