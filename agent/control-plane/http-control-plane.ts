import * as z from 'zod';
import { Agent, Assignments, AuthResponse, DeploymentObject } from '../../lib/fleet/protocol/agent-protocol.ts';
import { ClaimedWorkOrder, WORK_ORDERS_HEADER, WorkOrder, WorkOrderLease } from '../../lib/fleet/protocol/work-order-protocol.ts';
import { type ControlPlane, ControlPlaneError } from './control-plane.ts';
import { type ControlPlaneRequestOptions, createControlPlaneRequests, pathOf } from './control-plane-requests.ts';
import { wholeAssignments } from './whole-assignments.ts';

const NEXT_CURSOR = 'x-next-cursor';
/** A look for orders reads at most so many pages that have none. */
const EMPTY_PAGES = 10;

const Refused = z.object({ code: z.string() });
const ClaimedOrRefused = z.union([ClaimedWorkOrder, Refused]);
const LeaseOrRefused = z.union([WorkOrderLease, Refused]);

const Annotation = z.object({ key: z.string(), value: z.string() });

export function createHttpControlPlane(options: ControlPlaneRequestOptions): ControlPlane {
  const { call, ask, fetched, close } = createControlPlaneRequests(options);
  const base = options.baseUrl.replace(/\/+$/, '');
  const api = `${base}/api/v1`;
  const orderUrl = (id: string, verb: string) => `${api}/work-orders/${id}/${verb}`;
  let ordersMark: string | undefined;
  return {
    async ready(signal) {
      try {
        return (await call('GET', `${base}/readyz`, { signal })).status === 200;
      } catch (error) {
        if (error instanceof ControlPlaneError) return false;
        throw error;
      }
    },
    whoAmI: (signal) => fetched('POST', `${api}/auth/pak`, AuthResponse, { body: {}, signal }),
    findAgent: (name, clusterName, signal) =>
      fetched('GET', `${api}/agents/?${new URLSearchParams({ name, cluster_name: clusterName })}`, Agent, { signal }),
    async register(generatorId, signal) {
      await ask('POST', `${api}/generators/${encodeURIComponent(generatorId)}/register`, [200, 201, 409], undefined, { body: {}, signal });
    },
    async heartbeat(agentId, report, signal) {
      await ask('POST', `${api}/agents/${agentId}/heartbeat`, [200, 204], undefined, { body: report, signal });
    },
    assignments: (agentId, known, signal) =>
      wholeAssignments(known, async (query, etag) => {
        const headers = etag === undefined ? {} : { 'if-none-match': etag };
        const url = `${api}/agents/${agentId}/assignments`;
        const expected = etag === undefined ? [200] : [200, 304];
        const answer = await ask('GET', `${url}${queryOf(query)}`, expected, Assignments, { headers, signal });
        ordersMark = answer.header(WORK_ORDERS_HEADER);
        if (answer.status === 304) return 'unchanged';
        if (answer.value === undefined) throw new ControlPlaneError('unreadable', `GET ${pathOf(url)}: no body`);
        if (answer.value.agent_id !== agentId)
          throw new ControlPlaneError('unreadable', `GET ${pathOf(url)}: the answer is about another agent`);
        return { etag: answer.etag, value: answer.value };
      }),
    async deploymentObject(id, signal) {
      const url = `${api}/deployment-objects/${id}`;
      const value = await fetched('GET', url, DeploymentObject, { signal });
      if (value.id !== id) throw new ControlPlaneError('unreadable', `GET ${pathOf(url)}: the answer is about another object`);
      return value;
    },
    async report(agentId, event, signal) {
      await ask('POST', `${api}/agents/${agentId}/events`, [200, 201], undefined, { body: event, signal });
    },
    annotations: (agentId, signal) => fetched('GET', `${api}/agents/${agentId}/annotations`, z.array(Annotation), { signal }),
    stackAnnotations: (stackId, signal) => fetched('GET', `${api}/stacks/${stackId}/annotations`, z.array(Annotation), { signal }),
    workOrdersMark: () => ordersMark,
    async pendingWorkOrders(agentId, limit, signal) {
      const url = `${api}/agents/${agentId}/work-orders/pending`;
      let query: Record<string, string> = { limit: String(limit) };
      for (let page = 1; ; page++) {
        const { value = [], header } = await ask('GET', `${url}${queryOf(query)}`, [200], z.array(WorkOrder), { signal });
        const cursor = header(NEXT_CURSOR);
        // A page is empty if thousands of orders before the first free one are held by other agents.
        if (value.length > 0 || cursor === undefined || page === EMPTY_PAGES) return value;
        query = { ...query, cursor };
      }
    },
    async claimWorkOrder(agentId, id, leaseSeconds, signal) {
      const body = { agent_id: agentId, lease_seconds: leaseSeconds };
      const url = orderUrl(id, 'claim');
      const { value } = await ask('POST', url, [200, 404], ClaimedOrRefused, { body, signal });
      if (value === undefined || 'code' in value) return 'taken';
      if (value.id !== id) throw new ControlPlaneError('unreadable', `POST ${pathOf(url)}: the answer is about another order`);
      return value;
    },
    async renewWorkOrder(id, token, signal) {
      const { status, value } = await ask('POST', orderUrl(id, 'renew'), [200, 403, 404, 409], LeaseOrRefused, { body: { token }, signal });
      if (status === 404) return 'cancelled';
      return status === 200 && value !== undefined && 'token' in value ? value : 'lost';
    },
    async completeWorkOrder(id, result, signal) {
      const { status } = await ask('POST', orderUrl(id, 'complete'), [200, 202, 403, 404, 409], undefined, { body: result, signal });
      return status < 300 ? 'accepted' : 'void';
    },
    close,
  };
}

const queryOf = (query: Record<string, string>): string => (Object.keys(query).length > 0 ? `?${new URLSearchParams(query)}` : '');
