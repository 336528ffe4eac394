/** About 1.8 MB of YAML: twelve definitions with long schemas, as operators publish them in one file. */
export function bundleOfAnOperator(): string {
  const description = 'Describes how the thing behaves when it is asked to do what it is for. '.repeat(4);
  const properties = Object.fromEntries(Array.from({ length: 400 }, (_, n) => [`field${n}`, { type: 'string', description }]));
  const openAPIV3Schema = { type: 'object', properties: { spec: { type: 'object', properties } } };
  const group = 'big.NAMESPACE.example.com';
  const definition = (n: number) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `things${n}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: `things${n}`, singular: `thing${n}`, kind: `Thing${n}` },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  });
  return Array.from({ length: 12 }, (_, n) => JSON.stringify(definition(n), null, 1)).join('\n---\n');
}

/** A ConfigMap whose one value has so many lines of 100 bytes; with 7,000 of them 700 KB. */
export function mapOfLines(lines: number): string {
  const data = { 'dashboard.json': `${'x'.repeat(99)}\n`.repeat(lines) };
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'dashboard', namespace: 'NAMESPACE' }, data });
}
