import { groupOf, type Manifest } from '../cluster/cluster.ts';
import { MESSAGES } from '../operator-messages.ts';
import { ManifestError } from '../reconcile/desired/manifests.ts';

/** The manifests of a build order: those of its YAML, and a BuildRun of its one Build. Rejects with a ManifestError. */
export function withBuildRun(manifests: readonly Manifest[]): Manifest[] {
  const builds = manifests.filter(({ apiVersion, kind }) => groupOf(apiVersion) === 'shipwright.io' && kind === 'Build');
  const [build] = builds;
  if (!build || builds.length > 1) throw new ManifestError(MESSAGES.oneBuild(builds.length));
  const { name, namespace } = build.metadata;
  const run: Manifest = {
    apiVersion: build.apiVersion,
    kind: 'BuildRun',
    metadata: { name, ...(namespace !== undefined && { namespace }), labels: { 'shipwright.io/build': name } },
    // Shipwright renamed the member in v1beta1.
    spec: build.apiVersion.endsWith('/v1alpha1') ? { buildRef: { name } } : { build: { name } },
  };
  return [...manifests, run];
}
