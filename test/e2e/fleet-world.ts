import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Agent, createClusterAgent } from '../../agent/agent.ts';
import type { Cluster } from '../../agent/cluster/cluster.ts';
import { type AgentConfig, loadAgentConfig } from '../../agent/config.ts';
import { createHttpControlPlane } from '../../agent/control-plane/http-control-plane.ts';
import type { AgentEvent } from '../../lib/fleet/protocol/agent-protocol.ts';
import type { Clock } from '../../lib/platform/clock.ts';
import type { Api } from '../harness/client.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';

/** A real server, a generator and real agents, all on this machine. */
export interface FleetWorld {
  host: TestHost;
  generatorId: string;
  /** Calls the API as the generator. */
  generator: Api;
  /** Creates an ACTIVE agent with its key. */
  enlist(name: string): Promise<Enlisted>;
  createStack(name: string): Promise<FleetStack>;
  stop(): Promise<void>;
}

export interface Enlisted {
  id: string;
  /** Runs the agent on a cluster, with the state of its last run. A stopped agent can be run again. */
  run(cluster: Cluster, config?: Partial<AgentConfig>): Promise<Agent>;
  /** Waits for an event of the agent on this deployment object that `accept` takes, and returns the newest one. */
  event(deploymentObjectId: string, accept?: (event: AgentEvent) => boolean): Promise<AgentEvent>;
  target(stackId: string): Promise<void>;
}

export interface FleetStack {
  id: string;
  /** Submits the stack's next state. Resolves to the id of the deployment object. */
  submit(yaml: string): Promise<string>;
  submitMarker(): Promise<string>;
}

const WAIT_MS = 20_000;

/** Repeats the probe until it returns something. Throws an error that names `what` after the time-out. */
export async function eventually<T>(what: string, probe: () => Promise<T | undefined>, timeoutMs = WAIT_MS): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}, which did not come`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export async function startFleetWorld({ clock }: { clock?: Clock } = {}): Promise<FleetWorld> {
  const host = await startTestHost({ ...(clock && { clock }) });
  const { body } = await host.admin.post('/generators', { name: 'ci' });
  const generator = host.anonymous.as(body.pak);
  const stops: (() => Promise<unknown>)[] = [];

  async function enlist(name: string): Promise<Enlisted> {
    const created = await host.admin.post('/agents', { name, cluster_name: 'test', generator_ids: [body.generator.id] });
    const { agent, initial_pak: pak } = created.body;
    await host.admin.put(`/agents/${agent.id}`, { status: 'ACTIVE' });
    const stateDir = await mkdtemp(join(tmpdir(), 'brokkr-agent-'));
    stops.push(() => rm(stateDir, { recursive: true, force: true }));
    return {
      id: agent.id,
      async run(cluster, overrides = {}) {
        const environment = {
          BROKKR__AGENT__PAK: pak,
          BROKKR__AGENT__BROKER_URL: host.url,
          BROKKR__AGENT__AGENT_NAME: name,
          BROKKR__AGENT__CLUSTER_NAME: 'test',
        };
        const config = { ...loadAgentConfig({ environment, readFile: () => '' }), stateDir, pollingIntervalMs: 150, ...overrides };
        const controlPlane = createHttpControlPlane({ baseUrl: host.url, pak });
        const running = createClusterAgent({ config, cluster, controlPlane });
        stops.unshift(async () => {
          await running.stop();
          await controlPlane.close();
        });
        await running.start();
        return running;
      },
      event: (deploymentObjectId, accept = () => true) =>
        eventually(`an event of ${name} on ${deploymentObjectId}`, async () => {
          const events: AgentEvent[] = (await host.admin.get(`/agents/${agent.id}/events`)).body;
          return events.find((event) => event.deployment_object_id === deploymentObjectId && accept(event));
        }),
      async target(stackId) {
        await generator.post(`/agents/${agent.id}/targets`, { agent_id: agent.id, stack_id: stackId });
      },
    };
  }

  return {
    host,
    generatorId: body.generator.id,
    generator,
    enlist,
    async createStack(name) {
      const { body: stack } = await generator.post('/stacks', { name, generator_id: body.generator.id });
      const submit = async (value: unknown) => (await generator.post(`/stacks/${stack.id}/deployment-objects`, value)).body.id as string;
      return {
        id: stack.id,
        submit: (yaml_content) => submit({ yaml_content }),
        submitMarker: () => submit({ yaml_content: '', is_deletion_marker: true }),
      };
    },
    async stop() {
      for (const stop of stops) await stop();
      await host.stop();
    },
  };
}

export const configMap = (namespace: string, name: string, value: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n  namespace: ${namespace}\ndata:\n  value: ${value}\n`;
