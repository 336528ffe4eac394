import { ClusterError, groupOf, isUnserved, type LiveObject, type ObjectRef } from '../../cluster/cluster.ts';
import { MESSAGES } from '../../operator-messages.ts';
import { isContainer } from '../desired/containers.ts';
import { definedKinds } from '../desired/desired.ts';
import { objectText, refOf } from '../desired/object-key.ts';
import { isAdopted, OWNER_KEY, USER_ANNOTATION } from '../desired/ownership.ts';
import { type ClusterEffects, retrying } from '../effects/cluster-effects.ts';

/** Kinds that record what happens and hold nobody's data; they come and go by themselves. */
const PASSING = new Set(['/Event', 'events.k8s.io/Event', '/Endpoints', 'discovery.k8s.io/EndpointSlice', 'coordination.k8s.io/Lease']);
/** Made in every namespace by Kubernetes itself. */
const IN_EVERY_NAMESPACE = new Set(['ConfigMap/kube-root-ca.crt', 'ServiceAccount/default']);
const TOKEN_OF = 'kubernetes.io/service-account.name';

/** The objects that no stack of this agent created and that would go with a Namespace or a CustomResourceDefinition, in words. */
export async function strangersInside(effects: ClusterEffects, agentId: string, { ref, live }: { ref: ObjectRef; live: LiveObject }) {
  if (!isContainer(ref)) return [];
  const look = () => (ref.kind === 'Namespace' ? contentsOf(effects, { namespace: ref.name }) : ofDefinition(effects, live));
  // One server of some kinds may be away for days: meanwhile the container waits, and nothing else of the stack does.
  const inside = await look().catch((error: unknown) => {
    if (error instanceof ClusterError && error.status === 503) return error;
    throw error;
  });
  if (inside instanceof ClusterError) return [MESSAGES.notLookedFor(inside.message)];
  if (inside === 'not known') return [MESSAGES.unlistable()];
  return inside.filter((object) => isStranger(object, agentId)).map((object) => objectText(refOf(object)));
}

const contentsOf = (effects: ClusterEffects, of: { namespace: string } | { apiVersion: string; kind: string }) =>
  retrying(effects, () => effects.cluster.listMetadata(of, effects.stop));

async function ofDefinition(effects: ClusterEffects, definition: LiveObject): Promise<LiveObject[] | 'not known'> {
  const [kind] = [...definedKinds([definition]).keys()].map((text) => text.split(' '));
  if (!kind) return [];
  // Any version will do, also one that is not served.
  const [group = '', name = ''] = kind;
  try {
    return await contentsOf(effects, { apiVersion: `${group}/v1`, kind: name });
  } catch (error) {
    if (isUnserved(error) || (error instanceof ClusterError && error.status === 403)) return 'not known';
    throw error;
  }
}

function isStranger(object: LiveObject, agentId: string): boolean {
  const { kind, apiVersion, metadata } = object;
  const { labels, annotations, ownerReferences, name } = metadata;
  if (ownerReferences?.length || PASSING.has(`${groupOf(apiVersion)}/${kind}`) || IN_EVERY_NAMESPACE.has(`${kind}/${name}`)) return false;
  if (kind === 'Secret' && annotations?.[TOKEN_OF] !== undefined) return false;
  const isOurs = labels?.[OWNER_KEY] === agentId && !isAdopted(object) && annotations?.[USER_ANNOTATION.keep] !== 'true';
  return !isOurs;
}
