import { ClusterError, type LiveObject, type ResourceKind, TOO_MANY } from '../cluster.ts';
import { isObject } from '../json-object.ts';
import { liveObject } from './kubernetes-object.ts';
import type { KubernetesTransport } from './kubernetes-transport.ts';

export interface ListPages {
  transport: KubernetesTransport;
  resource: ResourceKind;
  path: string;
  pageSize: number;
  labelSelector?: string | undefined;
  /** Asks for nothing but the objects' metadata. */
  metadataOnly?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/** More objects than any agent owns: a list this long is a mistake in a selector, and would end in lack of memory. */
const MAX_OBJECTS = 50_000;
const MAX_RESTARTS = 3;
const METADATA_ONLY = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';

/** All pages of one list, as of one moment if the server can: if it has forgotten that moment, the list begins again. */
export async function listPages(list: ListPages): Promise<LiveObject[]> {
  for (let restarts = 0; ; restarts += 1) {
    try {
      return await readPages(list);
    } catch (error) {
      const hasExpired = error instanceof ClusterError && error.status === 410;
      if (!hasExpired || restarts >= MAX_RESTARTS) throw error;
    }
  }
}

async function readPages({ transport, resource, path, pageSize, labelSelector, metadataOnly, signal }: ListPages): Promise<LiveObject[]> {
  const objects: LiveObject[] = [];
  let next: string | undefined;
  do {
    const query = new URLSearchParams({
      limit: String(pageSize),
      ...(labelSelector !== undefined && { labelSelector }),
      ...(next !== undefined && { continue: next }),
    });
    const accept = metadataOnly ? METADATA_ONLY : undefined;
    const page = readPage(await transport.send({ method: 'GET', path: `${path}?${query}`, accept, signal }), resource, metadataOnly);
    objects.push(...page.items);
    next = page.next;
    if (objects.length > MAX_OBJECTS) {
      throw new ClusterError(`more than ${MAX_OBJECTS} objects of kind ${resource.kind}`, { status: 413, reason: TOO_MANY });
    }
  } while (next !== undefined);
  return objects;
}

/** The items of a built-in kind do not repeat what they are, and metadata alone says that it is metadata. */
function readPage(
  answer: unknown,
  { apiVersion, kind }: ResourceKind,
  metadataOnly = false,
): { items: LiveObject[]; next: string | undefined } {
  // A list of nothing but metadata has null for no items.
  const listed = isObject(answer) && metadataOnly ? (answer.items ?? []) : isObject(answer) ? answer.items : undefined;
  if (!isObject(answer) || !Array.isArray(listed)) {
    throw new ClusterError(`the answer is not a list of kind ${kind}`, { status: 502, reason: 'BadAnswer' });
  }
  const named = (item: Record<string, unknown>) => (metadataOnly ? { ...item, apiVersion, kind } : { apiVersion, kind, ...item });
  const items = listed.map((item) => liveObject(isObject(item) ? named(item) : item, { apiVersion, kind }));
  const next = isObject(answer.metadata) ? answer.metadata.continue : undefined;
  return { items, next: typeof next === 'string' && next !== '' ? next : undefined };
}
