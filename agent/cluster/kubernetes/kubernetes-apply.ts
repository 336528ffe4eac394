import { type ApplyOptions, CHANGED, ClusterError, IMMUTABLE, type LiveObject, type Manifest } from '../cluster.ts';
import { withoutValuesOf } from '../object-values.ts';
import { applyChoices, isAboutChoice, judgeChoices } from './kubernetes-choices.ts';
import { moveFieldOwners } from './kubernetes-field-versions.ts';
import { liveObject } from './kubernetes-object.ts';
import { objectPath } from './kubernetes-paths.ts';
import type { OnKind } from './kubernetes-served-kind.ts';
import type { KubernetesTransport } from './kubernetes-transport.ts';

/** Server-side apply of the manifest as it is. */
export function applyOn(
  { onKind, transport }: { onKind: OnKind; transport: KubernetesTransport },
  manifest: Manifest,
  { fieldManager, force, dryRun = false, onto, signal }: ApplyOptions,
): Promise<LiveObject> {
  const { apiVersion, kind, metadata } = manifest;
  const ref = { apiVersion, kind, name: metadata.name, ...(metadata.namespace !== undefined && { namespace: metadata.namespace }) };
  // Unknown fields are refused by server-side apply itself, and JSON made of an object has no duplicates: any other validation
  // only has the server parse the body once more, a tenth of the call.
  const query = `fieldManager=${encodeURIComponent(fieldManager)}&force=${force}&fieldValidation=Ignore${dryRun ? '&dryRun=All' : ''}`;
  return onKind<LiveObject>(ref, {
    signal,
    call: async (resource) => {
      const path = objectPath(resource, ref);
      const body = onto === undefined ? manifest : pinned(manifest, onto);
      // The type says YAML, and JSON is YAML.
      const request = { method: 'PATCH', path: `${path}?${query}`, body, contentType: 'application/apply-patch+yaml', signal } as const;
      const send = () => transport.send(request);
      const answer = await send().catch(async (error: unknown) => {
        if (await moveFieldOwners(error, { transport, path, ref, fieldManager, signal })) return send();
        if (!isAboutChoice(error, manifest)) throw error;
        const ports = { transport, path, ref, signal };
        const again = dryRun ? judgeChoices(ports, body) : applyChoices(ports, body, fieldManager, send);
        // The first refusal is about the manifest as it was written.
        return again.catch((other: unknown) => Promise.reject(other instanceof ClusterError && other.status > 0 ? error : other));
      });
      return liveObject(answer, ref);
    },
  }).catch((error: unknown) => {
    throw error instanceof ClusterError ? refusalOf(error, manifest, onto !== undefined) : error;
  });
}

/** The whole manifest, for one state of one object. No object that exists has the first resource version: that one is the store's. */
const pinned = (manifest: Manifest, onto: 'absent' | { uid: string; resourceVersion?: string }): Manifest => ({
  ...manifest,
  metadata: { ...manifest.metadata, ...(onto === 'absent' ? { resourceVersion: '1' } : onto) },
});

/** The API server refuses a pinned apply as out of date, as one of no object, or as a change of the uid. */
const isOfAnotherObject = (error: unknown): error is ClusterError =>
  error instanceof ClusterError &&
  ((error.status === 409 && /^(?:Conflict|AlreadyExists)$/.test(error.reason) && !/conflicts? with|conflicts?: /i.test(error.message)) ||
    (error.status === 422 && error.message.includes('metadata.uid')));

/** Kubernetes has no reason of its own for this, only these words. What is wrong besides would not be taken by a new object either. */
const NEVER_CHANGES = /\bimmutable\b|\bupdates to .* forbidden|\bmay not (?:be changed|change fields)\b|\bcannot change roleRef\b/is;

/** Admission webhooks and conversions write what they like. A new error, since the stack of the old one repeats its message. */
function refusalOf(error: ClusterError, manifest: Manifest, isPinned: boolean): ClusterError {
  const { status, reason, retryAfterMs } = error;
  const message = withoutValuesOf(error.message, withoutOurAnnotations(manifest));
  if (isPinned && isOfAnotherObject(error)) return new ClusterError(message, { status: 409, reason: CHANGED });
  if (status === 422 && error.message.split('; ').every((cause) => NEVER_CHANGES.test(cause)))
    return new ClusterError(message, { status, reason: IMMUTABLE });
  // Without an answer there is nothing in it that somebody wrote.
  const cause = status === 0 ? { cause: error.cause } : {};
  return new ClusterError(message, { status, reason, ...(retryAfterMs !== undefined && { retryAfterMs }), ...cause });
}

/** They hold words of our own, such as `immutable`, and ids. */
function withoutOurAnnotations(manifest: Manifest): Manifest {
  const annotations = Object.entries(manifest.metadata.annotations ?? {}).filter(([name]) => !/^(?:k8s\.)?brokkr\.io\//.test(name));
  return { ...manifest, metadata: { ...manifest.metadata, annotations: Object.fromEntries(annotations) } };
}
