import type { LiveObject, Manifest, ObjectRef } from '../../../agent/cluster/cluster.ts';
import { ORDER_LABEL } from '../../../agent/work-orders/order-objects.ts';
import { type AgentWorld, createAgentWorld, yaml } from '../agent-world.ts';

export const job = (name: string, spec: Record<string, unknown> = {}, annotations?: Record<string, string>): Manifest => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, namespace: 'shop', ...(annotations && { annotations }) },
  spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox' }] } }, ...spec },
});

export interface OrderWorld extends AgentWorld {
  /** The objects of an order, as `Kind/name`. */
  ordered(id: string): string[];
  jobs(id: string): LiveObject[];
  /** Ends a Job, as its controller does. */
  endJob(live: LiveObject, end: 'Complete' | 'Failed', reason?: string): void;
}

/** A world whose Jobs run until the test ends them. */
export function createOrderWorld({ attended = false }: { attended?: boolean } = {}): OrderWorld {
  const world = createAgentWorld();
  if (!attended) world.cluster.unattended.add('Job');
  const of = (id: string) => world.cluster.all().filter(({ metadata }) => metadata.labels?.[ORDER_LABEL] === id);
  return {
    ...world,
    ordered: (id) => of(id).map(({ kind, metadata: { name } }) => `${kind}/${name}`),
    jobs: (id) => of(id).filter(({ kind }) => kind === 'Job'),
    endJob: ({ apiVersion, kind, metadata: { name, namespace } }, end, reason = 'BackoffLimitExceeded') => {
      const ref: ObjectRef = { apiVersion, kind, name, ...(namespace !== undefined && { namespace }) };
      const condition = { type: end, status: 'True', ...(end === 'Failed' && { reason, message: 'Job has reached the limit' }) };
      world.cluster.setStatus(ref, { conditions: [condition] });
    },
  };
}

export { yaml };
