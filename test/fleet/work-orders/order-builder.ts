import { type BuilderHost, type MadeAgent, ok } from '../fleet-builder.ts';

export const JOB = 'apiVersion: batch/v1\nkind: Job\nmetadata: {name: one}\n';

/** Makes an order as an admin. */
export const makeOrder = (host: BuilderHost, more: object): Promise<{ id: string }> =>
  ok(host.admin.post('/work-orders', { work_type: 'custom', yaml_content: JOB, ...more }));

export const claim = (agent: MadeAgent, { id }: { id: string }, lease_seconds?: number) =>
  agent.api.post(`/work-orders/${id}/claim`, { agent_id: agent.id, ...(lease_seconds !== undefined && { lease_seconds }) });

export const complete = (agent: MadeAgent, { id }: { id: string }, result: object) => agent.api.post(`/work-orders/${id}/complete`, result);

/** The ids of the orders that the agent may claim. */
export const pendingOf = async (agent: MadeAgent, query = ''): Promise<string[]> =>
  (await ok(agent.api.get(`/agents/${agent.id}/work-orders/pending${query}`))).map(({ id }: { id: string }) => id);
