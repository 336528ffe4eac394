import { benchClient, inParallel } from './bench-client.ts';
import { type BenchAgent, createBenchAgent, createBenchGenerator, createBenchStacks, targetAll } from './bench-fleet.ts';
import { startHostProcess } from './host-process.ts';
import { type BenchTable, percentile, rounded } from './statistics.ts';

const AGENTS = 1_000;
const POLLS_EACH = 20;

/** Measures how many idle polls the one-process host answers, and the CPU time of one, for agents with few and many stacks. */
export async function pollThroughput(): Promise<BenchTable> {
  const host = await startHostProcess();
  const client = benchClient(host.url, host.adminPak);
  try {
    const generator = await createBenchGenerator(client);
    const stacks = await createBenchStacks(client, generator, 1_000);
    const agents = await inParallel(AGENTS, 16, (n) => createBenchAgent(client, `agent-${n}`, generator));
    const sized = await Promise.all(
      [0, 10, 100, 1_000].map(async (size) => ({ size, agent: await createBenchAgent(client, `sized-${size}`, generator) })),
    );
    for (const { size, agent } of sized) await targetAll(client, agent.id, stacks.slice(0, size));

    const etags = new Map<string, string>();
    for (const agent of [...agents, ...sized.map((one) => one.agent)]) {
      const { revision } = await client.call<{ revision: string }>('GET', `/api/v1/agents/${agent.id}/assignments`, { pak: agent.pak });
      etags.set(agent.id, `"${revision}"`);
    }
    const poll = async (agent: BenchAgent) => {
      const started = performance.now();
      await client.call('GET', `/api/v1/agents/${agent.id}/assignments`, { pak: agent.pak, etag: etags.get(agent.id) ?? '', expect: 304 });
      return performance.now() - started;
    };

    const measure = async (name: string, count: number, width: number, agentAt: (n: number) => BenchAgent) => {
      await inParallel(Math.min(count, 2_000), width, (n) => poll(agentAt(n)));
      const [before, started] = [host.cpu(), performance.now()];
      const times = await inParallel(count, width, (n) => poll(agentAt(n)));
      const [after, seconds] = [host.cpu(), (performance.now() - started) / 1_000];
      const [server, store] = [(after.serverMs - before.serverMs) / count, (after.storeMs - before.storeMs) / count];
      return [
        name,
        rounded(count / seconds, 0),
        rounded(percentile(times, 0.5)),
        rounded(percentile(times, 0.99)),
        rounded(server),
        rounded(store),
        rounded(server + store),
      ];
    };
    const first = (list: readonly BenchAgent[], n: number) => list[n % list.length] as BenchAgent;
    const rows = [await measure(`${AGENTS} agents, 64 at once`, AGENTS * POLLS_EACH, 64, (n) => first(agents, n))];
    for (const { size, agent } of sized) rows.push(await measure(`one agent with ${size} stacks, 8 at once`, 4_000, 8, () => agent));
    for (const { size, agent } of sized) rows.push(await measure(`one agent with ${size} stacks, one by one`, 2_000, 1, () => agent));
    return {
      title: 'Idle polls of the one-process host',
      about:
        'Closed loop over loopback on both cores, which the caller shares. CPU is user and system time of the server and of its embedded store. Polls one by one also wake both processes up each time. The aim: at most 1 ms of CPU for a poll, with any number of stacks.',
      columns: ['callers', 'polls/s', 'p50 ms', 'p99 ms', 'server CPU ms', 'store CPU ms', 'CPU ms a poll'],
      rows,
    };
  } finally {
    await client.close();
    await host.stop();
  }
}
