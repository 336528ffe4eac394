import * as z from 'zod';
import { loadYamlDocuments } from '../../../lib/fleet/protocol/yaml-reader.ts';
import type { Manifest } from '../../cluster/cluster.ts';

/** A value that a template left empty is an empty text, as kubectl takes it. */
const Text = z.string('must be a string: put it in quotes').nullable();
const strings = z.record(
  z.string(),
  Text.transform((text) => text ?? ''),
);

const ManifestShape = z.looseObject({
  apiVersion: z.string().min(1).max(317),
  kind: z.string().min(1).max(63),
  metadata: z.looseObject({
    name: z.string().min(1).max(253),
    namespace: z.string().max(63).nullish(),
    labels: strings.nullish(),
    annotations: strings.nullish(),
  }),
});

const ListShape = z.looseObject({ apiVersion: z.string(), kind: z.string().regex(/List$/), items: z.array(z.unknown()) });

/** A stack's YAML that cannot be meant as Kubernetes objects. The message says where. */
export class ManifestError extends Error {
  override name = 'ManifestError';
}

/** The objects of a stack's YAML, in its order; lists are taken apart. Rejects with a YamlError or a ManifestError. */
export async function parseManifests(yaml: string): Promise<Manifest[]> {
  return (await loadYamlDocuments(yaml)).flatMap(({ value, document, line }) => objects(value, `document ${document}, line ${line}`));
}

function objects(value: unknown, where: string, depth = 0): Manifest[] {
  const list = ListShape.safeParse(value);
  if (list.success && depth === 0) {
    return list.data.items.flatMap((item, index) => objects(withKindOf(list.data, item), `${where}, item ${index + 1}`, depth + 1));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ManifestError(`${where}: not an object`);
  const parsed = ManifestShape.safeParse(value);
  if (parsed.success) return [asWished(parsed.data)];
  if (hasGenerateName(value)) throw new ManifestError(`${where}: metadata.generateName cannot be kept in step: give metadata.name`);
  throw new ManifestError(`${where}: ${problemsOf(parsed.error)}`);
}

const PROBLEMS_TOLD = 10;

/** What is wrong, and where: all of it, up to a length that can be read. */
function problemsOf({ issues }: z.ZodError): string {
  const told = issues.slice(0, PROBLEMS_TOLD).map(({ path, message }) => `${path.join('.') || 'object'}: ${message}`);
  return [...told, ...(issues.length > told.length ? [`and ${issues.length - told.length} more`] : [])].join('; ');
}

/** The API server leaves kind and apiVersion out of the items of a ConfigMapList: they follow from the list's. */
function withKindOf({ kind, apiVersion }: z.infer<typeof ListShape>, item: unknown): unknown {
  const itemKind = kind.slice(0, -'List'.length);
  if (itemKind === '' || typeof item !== 'object' || item === null || 'kind' in item || 'apiVersion' in item) return item;
  return { ...item, kind: itemKind, apiVersion };
}

function hasGenerateName(value: object): boolean {
  const metadata = 'metadata' in value ? value.metadata : undefined;
  return typeof metadata === 'object' && metadata !== null && 'generateName' in metadata && !('name' in metadata);
}

/** What the API server writes into every object. An object that was exported from a cluster has it, and it is nobody's wish. */
const SERVER_OWNED = [
  'resourceVersion',
  'uid',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
  'selfLink',
];
/** What `kubectl apply` sent last, which is another text than this one. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

const without = <T>(object: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));

/**
 * The object without what the cluster owns: its status, and what the API server writes into its metadata. A field that a template left empty is
 * absent too: an empty namespace, labels or annotations without a value.
 */
function asWished({ apiVersion, kind, metadata: given, ...data }: z.infer<typeof ManifestShape>): Manifest {
  const { name, namespace, labels, annotations, ...metadata } = given;
  return {
    ...without(data, ['status']),
    apiVersion,
    kind,
    metadata: {
      ...without(metadata, SERVER_OWNED),
      name,
      ...(namespace && { namespace }),
      ...(labels && { labels }),
      ...(annotations && { annotations: without(annotations, [LAST_APPLIED]) }),
    },
  };
}
