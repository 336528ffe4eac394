import { groupOf, type LiveObject, type ObjectRef } from '../../cluster/cluster.ts';
import { isObject } from '../../cluster/json-object.ts';

const isNamespace = ({ apiVersion, kind }: ObjectRef) => apiVersion === 'v1' && kind === 'Namespace';
export const isDefinition = ({ apiVersion, kind }: ObjectRef) =>
  groupOf(apiVersion) === 'apiextensions.k8s.io' && kind === 'CustomResourceDefinition';

/** An object that contains others: they go with it. */
export const isContainer = (ref: ObjectRef): boolean => isNamespace(ref) || isDefinition(ref);

/** Whether an object is in this Namespace, or of the kind that this CustomResourceDefinition defines; undefined for other objects. */
export function contentOf(ref: ObjectRef, { spec }: LiveObject): ((inside: ObjectRef) => boolean) | undefined {
  if (isNamespace(ref)) return ({ namespace }) => namespace === ref.name;
  if (!isDefinition(ref) || !isObject(spec) || !isObject(spec.names)) return undefined;
  const { group, names } = spec;
  return ({ apiVersion, kind }) => groupOf(apiVersion) === group && kind === names.kind;
}
