import type { Cluster } from '../../agent/cluster/cluster.ts';
import type { ControlPlane } from '../../agent/control-plane/control-plane.ts';
import type { StateFiles } from '../../agent/state/state-files.ts';

export interface Ports {
  cluster: Cluster;
  controlPlane: ControlPlane;
  files: StateFiles;
}

/** A process that is killed at its n-th effect: just before it, or after it took place but before anyone heard. */
export interface Mortal extends Ports {
  effects(): number;
  dead(): boolean;
  /** Kills it now. */
  kill(): void;
}

/** Calls that change or read something outside the process; each may be its last. A dead process gets no answers any more. */
export function mortalPorts(
  ports: Ports,
  { killAt = Number.POSITIVE_INFINITY, when = 'before' }: { killAt?: number; when?: 'before' | 'after' } = {},
): Mortal {
  let effects = 0;
  let dead = false;
  const never = new Promise<never>(() => {});
  const mortal = <A extends unknown[], R>(call: (...args: A) => Promise<R>): ((...args: A) => Promise<R>) => {
    return async (...args) => {
      if (dead) return never;
      effects += 1;
      const last = effects === killAt;
      if (last) dead = true;
      if (last && when === 'before') return never;
      const result = await call(...args);
      return dead ? never : result;
    };
  };
  const { cluster, controlPlane, files } = ports;
  return {
    effects: () => effects,
    dead: () => dead,
    kill: () => {
      dead = true;
    },
    cluster: {
      version: cluster.version,
      findKind: mortal(cluster.findKind),
      find: mortal(cluster.find),
      list: mortal(cluster.list),
      apply: mortal(cluster.apply),
      delete: mortal(cluster.delete),
      listMetadata: mortal(cluster.listMetadata),
      disown: mortal(cluster.disown),
      takeFields: mortal(cluster.takeFields),
      podLog: mortal(cluster.podLog),
      close: cluster.close,
    },
    controlPlane: {
      ...controlPlane,
      assignments: mortal(controlPlane.assignments),
      deploymentObject: mortal(controlPlane.deploymentObject),
      report: mortal(controlPlane.report),
      annotations: mortal(controlPlane.annotations),
      stackAnnotations: mortal(controlPlane.stackAnnotations),
      pendingWorkOrders: mortal(controlPlane.pendingWorkOrders),
      claimWorkOrder: mortal(controlPlane.claimWorkOrder),
      renewWorkOrder: mortal(controlPlane.renewWorkOrder),
      completeWorkOrder: mortal(controlPlane.completeWorkOrder),
    },
    files: { read: mortal(files.read), write: mortal(files.write), remove: mortal(files.remove), list: mortal(files.list) },
  };
}
