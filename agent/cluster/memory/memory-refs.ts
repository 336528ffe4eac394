import { groupOf, type LiveObject, type Manifest, type ObjectRef } from '../cluster.ts';

export const kindKey = ({ apiVersion, kind }: Pick<ObjectRef, 'apiVersion' | 'kind'>): string => `${apiVersion} ${kind}`;
export const keyOf = ({ apiVersion, kind, namespace = '', name }: ObjectRef): string =>
  `${apiVersion.replace(/\/?[^/]*$/, '')}/${kind}/${namespace}/${name}`;
export const refMetadata = ({ metadata: { name, namespace } }: Manifest) => ({ name, ...(namespace !== undefined && { namespace }) });
export const refOf = (manifest: Manifest): ObjectRef => ({
  apiVersion: manifest.apiVersion,
  kind: manifest.kind,
  ...refMetadata(manifest),
});
export const callRef = ({ kind, namespace, name }: ObjectRef) => ({ kind, name, ...(namespace !== undefined && { namespace }) });

export const asVersion = (object: LiveObject, apiVersion: string): LiveObject =>
  object.apiVersion === apiVersion ? object : { ...object, apiVersion };

export const finalizersOf = ({ metadata: { finalizers } }: LiveObject): unknown[] => (Array.isArray(finalizers) ? finalizers : []);

export const sameKind = (a: Pick<ObjectRef, 'apiVersion' | 'kind'>, b: Pick<ObjectRef, 'apiVersion' | 'kind'>): boolean =>
  a.kind === b.kind && groupOf(a.apiVersion) === groupOf(b.apiVersion);

/** `a=b`, `a!=b`, `a` and `!a`, all of which must hold. */
export function selector(text: string): (labels: Record<string, string>) => boolean {
  const terms = text.split(',').filter((term) => term !== '');
  return (labels) =>
    terms.every((term) => {
      const [name = '', value] = term.split(/==?|!=/, 2);
      if (value === undefined) return term.startsWith('!') ? labels[term.slice(1)] === undefined : labels[name] !== undefined;
      return term.includes('!=') ? labels[name] !== value : labels[name] === value;
    });
}
