/** `npm run cluster`: runs a Kubernetes API server with one simulated node until Ctrl-C. Builds missing components first. */
import { dirname } from 'node:path';
import { buildComponents } from './build-components.ts';
import { launchCluster } from './start-cluster.ts';

const abort = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => abort.abort());

try {
  await buildComponents({ report: console.log, signal: abort.signal });
  await runCluster();
} catch (error) {
  if (!abort.signal.aborted) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

async function runCluster(): Promise<void> {
  abort.signal.throwIfAborted();
  const startedMs = performance.now();
  const launched = launchCluster({ log: console.log });
  abort.signal.addEventListener('abort', () => void launched.stop());
  const { kubeconfigPath, binaries } = await launched.ready;
  console.log(`ready in ${((performance.now() - startedMs) / 1000).toFixed(1)} s

  export KUBECONFIG=${kubeconfigPath}
  export PATH="${dirname(binaries.kubectl)}:${dirname(binaries.helm)}:$PATH"
  kubectl get nodes

Pods are simulated: they become Ready, Jobs complete, nothing runs. Ctrl-C stops it and leaves nothing behind.`);
  const why = await launched.ended;
  if (why !== undefined) throw new Error(why);
  console.log('stopped');
}
