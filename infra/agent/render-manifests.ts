/** `node infra/agent/render-manifests.ts [helm]`: renders the chart to `manifests/agent.yaml`, with this `helm` or the one on the PATH. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const manifestsPath = join(import.meta.dirname, 'manifests/agent.yaml');

/** The arguments of `helm template`. The manifests are the preamble and its output. */
export const renderArguments = [
  'template',
  'brokkr-agent',
  join(import.meta.dirname, 'chart'),
  '--namespace',
  'brokkr',
  '--values',
  join(import.meta.dirname, 'manifests/values.yaml'),
];

export const manifestsPreamble = `# The agent without Helm, rendered from the chart beside it by infra/agent/render-manifests.ts: change the chart, not this file.
# First set the control plane's address and the agent's and the cluster's names in the ConfigMap, then
#   kubectl create namespace brokkr
#   kubectl -n brokkr create secret generic brokkr-agent-pak --from-file=pak=<a file with the agent's key>
#   kubectl apply -f agent.yaml
`;

/** The text of the manifests, made from helm's output. */
export const manifestsText = (rendered: string): string => manifestsPreamble + rendered;

if (import.meta.main) {
  const rendered = execFileSync(process.argv[2] ?? 'helm', renderArguments, { encoding: 'utf8' });
  writeFileSync(manifestsPath, manifestsText(rendered));
}
