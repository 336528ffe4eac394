import * as z from 'zod';
import { EventCursor, listAgentEvents, listRecentEvents } from '../../lib/fleet/agent-events/agent-event-lists.ts';
import { getEvent, reportEvent } from '../../lib/fleet/agent-events/agent-event-service.ts';
import { recordHeartbeat } from '../../lib/fleet/agents/agent-heartbeat.ts';
import { getAgent } from '../../lib/fleet/agents/agent-service.ts';
import { targetState } from '../../lib/fleet/agents/target-state.ts';
import { fleetError } from '../../lib/fleet/fleet-errors.ts';
import { AgentEvent, Assignments, DeploymentObject, HeartbeatReport, NewAgentEvent } from '../../lib/fleet/protocol/agent-protocol.ts';
import { WORK_ORDERS_HEADER } from '../../lib/fleet/protocol/work-order-protocol.ts';
import { Stack } from '../../lib/fleet/stacks/stack.ts';
import { listStacksOfAgent } from '../../lib/fleet/stacks/stack-lists.ts';
import { type AskingAgent, previewAssignments, takeAssignments } from '../../lib/fleet/targeting/assignments.ts';
import { type AgentAccount, decideFor } from '../../lib/identity/principal.ts';
import { type BodyFormat, reply } from '../../lib/platform/http/endpoint.ts';
import {
  API,
  adminOnly,
  adminOrSelf,
  callerOf,
  endpoint,
  type FleetContext,
  fleetFunction,
  Id,
  IdParams,
  selfOnly,
} from './fleet-endpoint.ts';
import { answerPage, PAGED, PageQuery } from './list-answer.ts';

const tag = 'agent sync';
const eventBody = NewAgentEvent.extend({ agent_id: Id, deployment_object_id: Id }).meta({ id: 'NewAgentEvent' });

/** A heartbeat counts even if its body cannot be read. */
const lenientHeartbeat: BodyFormat = {
  lenient: true,
  accepts: ['application/json'],
  decode({ bytes }) {
    try {
      return HeartbeatReport.parse(JSON.parse(bytes.toString()));
    } catch {
      return {};
    }
  },
};

const etagOf = (revision: string) => `"${revision}"`;
const versionHeaders = (etag: string) => ({ etag, 'cache-control': 'no-cache' });
/** Tells an agent that it may have a new work order, out of the record that admission has read. */
const ordersHeader = ({ orders_rev }: AskingAgent): Record<string, string> =>
  typeof orders_rev === 'string' ? { [WORK_ORDERS_HEADER]: orders_rev } : {};

/** The agent in the path, by a strongly consistent read. If the agent asks for itself, admission has made that read already. */
const agentOf = async (context: FleetContext, id: string): Promise<AskingAgent> => ({
  ...(accountOf(context) ?? (await getAgent(context.services, id))),
  id,
});

/** Whether the caller has this version already. */
const hasVersion = ({ request }: FleetContext, etag: string): boolean | undefined =>
  request.headers['if-none-match']?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);

/** The calling agent's record, which admission has read; undefined for other callers. */
const accountOf = ({ principal }: FleetContext): AgentAccount | undefined =>
  decideFor<AgentAccount | undefined>(principal, { admin: () => undefined, agent: ({ item }) => item, generator: () => undefined });

/** Answers with the body, or with 304 if the caller has this version. */
const conditional = <T>(context: FleetContext, etag: string, body: () => Promise<T>) =>
  hasVersion(context, etag)
    ? reply<T>({ status: 304, headers: versionHeaders(etag) })
    : body().then((value) => reply<T>({ headers: versionHeaders(etag), body: value }));

export const agentSyncEndpoints = [
  endpoint({
    id: 'get_assignments',
    method: 'GET',
    path: `${API}/agents/{id}/assignments`,
    summary: 'List what an agent should run, and what it should remove',
    tag,
    description:
      'Answers 304 if If-None-Match names the current revision: one read unit, whatever the agent runs. With `since`, the revision of an earlier answer, the answer contains only the changes since then, and repeats `since`, if the control plane still knows them; otherwise it contains everything. A long list ends with `next`: ask again with `?after=` and that text, and keep the first answer’s ETag. A stack that no longer concerns the agent stays in the list as `withdrawn` until the agent reports a REMOVE event with SUCCESS for its deployment object. An agent that is not ACTIVE gets nothing new and is not asked to remove anything. The header `X-Brokkr-Work-Orders`, of a 304 too, has another text whenever the agent may have a new work order to claim.',
    access: adminOrSelf,
    params: IdParams,
    query: z.object({ since: z.string().max(100).optional(), after: Id.optional() }),
    status: 200,
    response: Assignments,
    conditional: true,
    errors: ['agent_not_found'],
    async handle(context, { params, query }) {
      const { services } = context;
      const agent = await agentOf(context, params.id);
      const etag = etagOf(agent.revision);
      const orders = ordersHeader(agent);
      if (query.after === undefined && hasVersion(context, etag))
        return reply<Assignments>({ status: 304, headers: { ...versionHeaders(etag), ...orders } });
      // Only the agent's own GET updates what it was told.
      const takes = accountOf(context) !== undefined && context.request.method === 'GET';
      const body = takes ? await takeAssignments(services, agent, query) : await previewAssignments(services, agent, query.after);
      return reply<Assignments>({ headers: { ...versionHeaders(etagOf(body.revision)), ...orders }, body });
    },
  }),
  endpoint({
    id: 'get_target_state',
    method: 'GET',
    path: `${API}/agents/{id}/target-state`,
    summary: 'List the newest deployment object of each stack that an agent runs',
    tag,
    description:
      '`mode=full`, the default, returns all of them; `mode=incremental` returns those that the agent has not reported on. Answers 304 if If-None-Match names the current version.',
    access: adminOrSelf,
    params: IdParams,
    query: z.object({ mode: z.enum(['full', 'incremental']).default('full') }),
    status: 200,
    response: z.array(DeploymentObject),
    conditional: true,
    errors: ['target_state_too_large'],
    async handle(context, { params, query }) {
      const account = accountOf(context);
      const own = account !== undefined && context.request.method === 'GET';
      const body = () => targetState(context.services, { ...account, id: params.id }, { mode: query.mode, own });
      // An agent's reports don't move its revision, so an incremental answer has no ETag.
      if (!account || query.mode === 'incremental') return body();
      return conditional(context, `"${account.revision}-${query.mode}"`, body);
    },
  }),
  endpoint({
    id: 'get_associated_stacks',
    method: 'GET',
    path: `${API}/agents/{id}/stacks`,
    summary: 'List the stacks that an agent runs',
    tag,
    description: PAGED,
    access: adminOrSelf,
    params: IdParams,
    query: PageQuery,
    status: 200,
    response: z.array(Stack),
    handle: async ({ services }, { params, query }) => answerPage(await listStacksOfAgent(services.database, params.id, query)),
  }),
  endpoint({
    id: 'record_heartbeat',
    method: 'POST',
    path: `${API}/agents/{id}/heartbeat`,
    summary: 'Report that the agent is alive',
    tag,
    description: 'A body that is missing or breaks a rule is ignored: the heartbeat counts anyway.',
    access: selfOnly,
    params: IdParams,
    body: HeartbeatReport,
    bodyFormat: lenientHeartbeat,
    status: 204,
    handle: (context, { body }) => recordHeartbeat(context.services, accountOf(context), body),
  }),
  endpoint({
    id: 'list_events',
    method: 'GET',
    path: `${API}/agents/{id}/events`,
    summary: "List an agent's newest events",
    tag,
    description: PAGED,
    access: adminOrSelf,
    params: IdParams,
    query: z.object({ cursor: EventCursor }),
    status: 200,
    response: z.array(AgentEvent),
    handle: async ({ services }, { params, query }) => answerPage(await listAgentEvents(services, params.id, query.cursor)),
  }),
  endpoint({
    id: 'create_event',
    method: 'POST',
    path: `${API}/agents/{id}/events`,
    summary: 'Report the outcome of a deployment object',
    tag,
    description:
      'If the report equals the latest one of this agent on this deployment object, the answer is the stored event with a new updated_at.',
    access: adminOrSelf,
    params: IdParams,
    body: eventBody,
    status: 201,
    response: AgentEvent,
    errors: ['agent_id_mismatch', 'foreign_key_violation'],
    async handle(context, { params, body }) {
      if (params.id !== body.agent_id) throw fleetError('agent_id_mismatch');
      return reportEvent(context.services, callerOf(context), body);
    },
  }),
  endpoint({
    id: 'list_agent_events',
    method: 'GET',
    path: `${API}/agent-events`,
    summary: "List the fleet's newest events",
    tag,
    description: PAGED,
    access: adminOnly,
    query: z.object({ pak_id: Id.optional(), cursor: EventCursor }),
    status: 200,
    response: z.array(AgentEvent),
    handle: async ({ services }, { query }) => answerPage(await listRecentEvents(services, query.pak_id, query.cursor)),
  }),
  endpoint({
    id: 'get_agent_event',
    method: 'GET',
    path: `${API}/agent-events/{id}`,
    summary: 'Fetch an event',
    tag,
    access: adminOnly,
    params: IdParams,
    status: 200,
    response: AgentEvent,
    errors: ['agent_event_not_found'],
    handle: ({ services }, { params }) => getEvent(services, params.id),
  }),
];
export const handler = fleetFunction(agentSyncEndpoints);
