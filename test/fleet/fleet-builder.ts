import { randomUUID } from 'node:crypto';
import type { Answer, Api } from '../harness/client.ts';

/** A server with a client for the admin and one without a key. A TestHost is one. */
export interface BuilderHost {
  admin: Api;
  anonymous: Api;
}

/** Builders over HTTP. Each makes one thing as an admin, with a unique name, and fails if it is refused. */
export const unique = (prefix: string): string => `${prefix}-${randomUUID().slice(0, 8)}`;

/** Returns the body of an answer that must be a success. */
export async function ok(call: Promise<Answer>) {
  const { status, body, text } = await call;
  if (status >= 300) throw new Error(`status ${status}: ${text}`);
  return body;
}

/** Returns all pages of a list, following its cursor. */
export async function pagesOf<T = Record<string, unknown>>(client: Api, path: string): Promise<T[][]> {
  const pages: T[][] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const separator = path.includes('?') ? '&' : '?';
    const answer: Answer = await client.get(cursor === '' ? path : `${path}${separator}cursor=${cursor}`);
    if (answer.status !== 200) throw new Error(`status ${answer.status}: ${answer.text}`);
    pages.push(answer.body);
    if (answer.headers['x-next-cursor'] === cursor) throw new Error(`the cursor ${cursor} leads to its own page`);
    cursor = answer.headers['x-next-cursor'];
  }
  return pages;
}

export const configMap = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;

export interface MadeGenerator {
  id: string;
  name: string;
  pak: string;
  api: Api;
}
export async function makeGenerator(host: BuilderHost, name = unique('generator')): Promise<MadeGenerator> {
  const { generator, pak } = await ok(host.admin.post('/generators', { name }));
  return { id: generator.id, name, pak, api: host.anonymous.as(pak) };
}

export interface MadeAgent {
  id: string;
  pak: string;
  api: Api;
  /** The agent's assignments by stack id. */
  assignments(): Promise<Map<string, { state: string; deployment_object_id: string | null; sequence_id: number | null }>>;
  /** The agent's revision, which moves with every change that may concern the agent. */
  revision(): Promise<string>;
}
/** Makes an agent that is registered with these generators. It is ACTIVE unless another status is given. */
export async function makeAgent(
  host: BuilderHost,
  {
    generators = [],
    status = 'ACTIVE',
    labels = [],
  }: { generators?: readonly MadeGenerator[]; status?: string; labels?: readonly string[] } = {},
): Promise<MadeAgent> {
  const generator_ids = generators.map(({ id }) => id);
  const body = await ok(host.admin.post('/agents', { name: unique('agent'), cluster_name: unique('cluster'), generator_ids }));
  const { id } = body.agent;
  if (status !== 'INACTIVE') await ok(host.admin.put(`/agents/${id}`, { status }));
  for (const label of labels) await ok(host.admin.post(`/agents/${id}/labels`, { agent_id: id, label }));
  const api = host.anonymous.as(body.initial_pak);
  const poll = () => ok(api.get(`/agents/${id}/assignments`));
  return {
    id,
    pak: body.initial_pak,
    api,
    async assignments() {
      const { assignments } = await poll();
      return new Map(assignments.map((assignment: { stack_id: string }) => [assignment.stack_id, assignment]));
    },
    revision: async () => (await poll()).revision,
  };
}

export async function makeStack(
  host: BuilderHost,
  { id: generator_id }: { id: string },
  { name = unique('stack'), labels = [], yaml }: { name?: string; labels?: readonly string[]; yaml?: string } = {},
): Promise<{ id: string; name: string; generator_id: string; deploymentObjectId: string }> {
  const stack = await ok(host.admin.post('/stacks', { name, generator_id }));
  for (const label of labels) await ok(host.admin.post(`/stacks/${stack.id}/labels`, label));
  return { ...stack, deploymentObjectId: yaml === undefined ? '' : (await submit(host, stack.id, yaml)).id };
}

export const submit = (host: BuilderHost, stackId: string, yaml_content: string, is_deletion_marker = false) =>
  ok(host.admin.post(`/stacks/${stackId}/deployment-objects`, { yaml_content, is_deletion_marker }));

export const target = (host: BuilderHost, agent: { id: string }, stack: { id: string }) =>
  ok(host.admin.post(`/agents/${agent.id}/targets`, { agent_id: agent.id, stack_id: stack.id }));

/** Sends an event with the agent's own key. */
export const report = (agent: MadeAgent, deploymentObjectId: string, change: Record<string, unknown> = {}): Promise<Answer> =>
  agent.api.post(`/agents/${agent.id}/events`, {
    agent_id: agent.id,
    deployment_object_id: deploymentObjectId,
    event_type: 'DEPLOY',
    status: 'SUCCESS',
    ...change,
  });

/** Makes one of everything that a tenant can have. */
export interface Tenant {
  generator: MadeGenerator;
  agent: MadeAgent;
  stack: { id: string; name: string };
  object: { id: string };
  event: { id: string };
  /** A template of the generator, with the label `template-label` and the annotation `template-key`; the stack does not match it. */
  template: { id: string };
  /** A work order of the generator, claimed by the agent. */
  order: { id: string; token: string };
  /** One that has ended. */
  endedOrder: { id: string };
  agentName: string;
  clusterName: string;
  /** Ids and names that no other tenant may learn. */
  secrets: readonly string[];
}

export async function makeTenant(host: BuilderHost): Promise<Tenant> {
  const generator = await makeGenerator(host);
  const [agent, stack] = await Promise.all([
    makeAgent(host, { generators: [generator], labels: ['agent-label'] }),
    makeStack(host, generator),
  ]);
  const [object] = await Promise.all([
    submit(host, stack.id, configMap(unique('secret'))),
    ok(host.admin.post(`/stacks/${stack.id}/labels`, 'team-label')),
    ok(host.admin.post(`/stacks/${stack.id}/annotations`, { stack_id: stack.id, key: 'team-key', value: 'v' })),
    ok(host.admin.post(`/agents/${agent.id}/annotations`, { agent_id: agent.id, key: 'agent-key', value: 'v' })),
    target(host, agent, stack),
  ]);
  const [event, { name, cluster_name }, order, endedOrder, template] = await Promise.all([
    ok(report(agent, object.id)),
    ok(host.admin.get(`/agents/${agent.id}`)),
    claimedOrder(generator, agent),
    claimedOrder(generator, agent),
    ok(generator.api.post('/templates', templateOf(unique('template')))),
    agent.assignments(),
  ]);
  await ok(agent.api.post(`/work-orders/${endedOrder.id}/complete`, { success: true }));
  await Promise.all([
    ok(generator.api.post(`/templates/${template.id}/labels`, 'template-label')),
    ok(generator.api.post(`/templates/${template.id}/annotations`, { key: 'template-key', value: 'v' })),
  ]);
  const things = [generator, agent, stack, object, event, order, endedOrder, template].map(({ id }) => id);
  const secrets = [...things, stack.name, name, cluster_name, object.yaml_checksum];
  return { generator, agent, stack, object, event, order, endedOrder, template, agentName: name, clusterName: cluster_name, secrets };
}

/** A template of one ConfigMap, whose name is a parameter. */
export const templateOf = (name: string) => ({
  name,
  description: 'd',
  template_content: configMap('{{ name }}'),
  parameters_schema: JSON.stringify({ type: 'object', required: ['name'], properties: { name: { type: 'string' } } }),
  engine: 'tera',
});

export const orderFor = (agent: { id: string }) => ({
  work_type: 'custom',
  yaml_content: configMap('made-by-order'),
  targeting: { agent_ids: [agent.id] },
});

async function claimedOrder(generator: MadeGenerator, agent: MadeAgent): Promise<{ id: string; token: string }> {
  const { id } = await ok(generator.api.post('/work-orders', orderFor(agent)));
  const { lease } = await ok(agent.api.post(`/work-orders/${id}/claim`, { agent_id: agent.id, lease_seconds: 600 }));
  return { id, token: lease.token };
}
