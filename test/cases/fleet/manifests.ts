/** Objects in the story's namespace, short enough to see what is special about each. */
export const object = (apiVersion: string, kind: string, name: string, fields: object = {}, metadata: object = {}): object => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'NAMESPACE', ...metadata },
  ...fields,
});

export const clusterWide = (apiVersion: string, kind: string, name: string, fields: object = {}): object => ({
  apiVersion,
  kind,
  metadata: { name },
  ...fields,
});

export const configMap = (name: string, data: object = { colour: 'red' }, metadata: object = {}): object =>
  object('v1', 'ConfigMap', name, { data }, metadata);

export const secret = (name: string, fields: object): object => object('v1', 'Secret', name, { type: 'Opaque', ...fields });

export const service = (name: string, ...ports: readonly object[]): object =>
  object('v1', 'Service', name, { spec: { selector: { app: name }, ports } });

interface Workload {
  /** More fields of its pods, and of their container. */
  pod?: object;
  container?: object;
  spec?: object;
  metadata?: object;
}

/** A Deployment, StatefulSet or DaemonSet with one container. */
export function workload(kind: string, name: string, { pod, container, spec, metadata }: Workload = {}): object {
  const template = {
    metadata: { labels: { app: name } },
    spec: { containers: [{ name: 'main', image: 'registry.example.com/main:1', ...container }], ...pod },
  };
  const selector = { matchLabels: { app: name } };
  return object('apps/v1', kind, name, { spec: { selector, template, ...spec } }, metadata);
}

export const namespace: object = clusterWide('v1', 'Namespace', 'NAMESPACE');

export const base64 = (text: string): string => Buffer.from(text).toString('base64');
