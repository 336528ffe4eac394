import type { LiveObject } from '../../cluster/cluster.ts';
import { isObject } from '../../cluster/json-object.ts';
import { withoutValuesOf } from '../../cluster/object-values.ts';
import { MESSAGES } from '../../operator-messages.ts';

/** A Namespace says in its conditions what keeps it, such as a kind whose server is away: https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces */
const NAMESPACE_CONDITION = /^Namespace/;

/** What an object that is being deleted waits for. */
export function terminatingText(live: LiveObject): string {
  const { status, metadata } = live;
  const conditions = isObject(status) && Array.isArray(status.conditions) ? status.conditions.filter(isObject) : [];
  const reasons = conditions
    .filter((condition) => live.kind === 'Namespace' && NAMESPACE_CONDITION.test(String(condition.type)) && condition.status === 'True')
    .map(({ message, reason }) => withoutValuesOf(String(message ?? reason), live));
  if (reasons.length > 0) return MESSAGES.containsStill(reasons);
  const finalizers = Array.isArray(metadata.finalizers) ? metadata.finalizers.map(String) : [];
  return MESSAGES.waitsForFinalizers(finalizers);
}
