import { groupOf, type ObjectRef } from '../../cluster/cluster.ts';

/** Tells objects apart. Without the version: the same object may be written in another one tomorrow. */
export const objectKey = ({ apiVersion, kind, namespace, name }: ObjectRef): string =>
  `${groupOf(apiVersion)}/${kind}/${namespace ?? ''}/${name}`;

/** `Deployment/shop/web`, as people and messages name it. */
export const objectText = ({ kind, namespace, name }: ObjectRef): string => [kind, ...(namespace ? [namespace] : []), name].join('/');

export const refOf = (object: { apiVersion: string; kind: string; metadata: { name: string; namespace?: string } }): ObjectRef => ({
  apiVersion: object.apiVersion,
  kind: object.kind,
  ...(object.metadata.namespace !== undefined && { namespace: object.metadata.namespace }),
  name: object.metadata.name,
});
