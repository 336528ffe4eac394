import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The parts that a cluster needs to start; `stages` is a folder. */
export const binaryNames = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubectl',
  'helm',
  'kwok',
  'stages',
] as const;
export type BinaryName = (typeof binaryNames)[number];

/** A part that `npm run cluster:build` builds into its own folder of the cache, so that a new Helm does not rebuild Kubernetes. */
export interface Component {
  name: 'control-plane' | 'kwok' | 'helm';
  /** The name in progress lines. */
  title: string;
  /** The Go package, of the module in `control-plane/` or of a module with a version. */
  package: string;
  ldflags: string;
  /** The content of its folder: the names of its one binary, and kwok's stages. */
  provides: readonly BinaryName[];
  /** The folder of the finished component. */
  directory: string;
}

const KUBERNETES_VERSION = 'v1.36.3';
const KWOK_VERSION = 'v0.8.0';
const HELM_VERSION = 'v3.22.0';

export const controlPlaneSource = join(import.meta.dirname, 'control-plane');
export const kwokModule = `sigs.k8s.io/kwok@${KWOK_VERSION}`;

/** The stages by which kwok simulates nodes, pods and volumes, as paths in its module. Without stages it does nothing. */
export const kwokStages = [
  'node/fast/node-initialize.yaml',
  'node/heartbeat/node-heartbeat.yaml',
  'pod/fast/pod-ready.yaml',
  'pod/fast/pod-complete.yaml',
  'pod/fast/pod-delete.yaml',
  'pod/chaos/pod-container-running-failed.yaml',
  'volume/fast/pvc-provision.yaml',
  'volume/fast/pvc-delete.yaml',
  'volume/fast/pv-bind.yaml',
  'volume/fast/pv-delete.yaml',
].map((path) => `kustomize/stage/${path}`);

const [major = '', minor = ''] = KUBERNETES_VERSION.slice(1).split('.');
const variables = (values: Record<string, string>): string =>
  ['-s -w', ...Object.entries(values).map(([name, value]) => `-X ${name}=${value}`)].join(' ');

const recipes: readonly Omit<Component, 'directory'>[] = [
  {
    name: 'control-plane',
    title: `Kubernetes ${KUBERNETES_VERSION} (API server, etcd, controllers, scheduler, kubectl)`,
    package: '.',
    // Without these the API server calls itself v0.0.0, and clients that check its version misbehave.
    ldflags: variables({
      'k8s.io/component-base/version.gitVersion': KUBERNETES_VERSION,
      'k8s.io/component-base/version.gitMajor': major,
      'k8s.io/component-base/version.gitMinor': minor,
    }),
    provides: ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'],
  },
  {
    name: 'kwok',
    title: `kwok ${KWOK_VERSION} (simulated nodes)`,
    package: `sigs.k8s.io/kwok/cmd/kwok@${KWOK_VERSION}`,
    ldflags: variables({}),
    provides: ['kwok', 'stages'],
  },
  {
    name: 'helm',
    title: `Helm ${HELM_VERSION}`,
    package: `helm.sh/helm/v3/cmd/helm@${HELM_VERSION}`,
    // Without these `helm template` and `helm lint` check a chart's kubeVersion against 1.20.
    ldflags: variables({
      'helm.sh/helm/v3/internal/version.version': HELM_VERSION,
      'helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor': major,
      'helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor': minor,
      'helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor': major,
      'helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor': minor,
    }),
    provides: ['helm'],
  },
];

/** `$XDG_CACHE_HOME/brokkr/kubernetes`. It is outside the checkout, so that all clones of a user share the builds. */
export const cacheFolder = (): string => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'brokkr', 'kubernetes');

/** The components with their folders. The name of a folder is a hash of everything that the build depends on. */
export function listComponents(): Component[] {
  return recipes.map((recipe) => ({ ...recipe, directory: join(cacheFolder(), `${recipe.name}-${componentKey(recipe)}`) }));
}

function componentKey(recipe: Omit<Component, 'directory'>): string {
  const sources =
    recipe.name === 'control-plane'
      ? ['go.mod', 'go.sum', 'main.go'].map((file) => readFileSync(join(controlPlaneSource, file), 'utf8'))
      : [];
  const stages = recipe.name === 'kwok' ? kwokStages : [];
  return createHash('sha256')
    .update(JSON.stringify([recipe.package, recipe.ldflags, recipe.provides, sources, stages, process.platform, process.arch]))
    .digest('hex')
    .slice(0, 16);
}
