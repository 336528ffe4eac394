import { isObject } from './json-object.ts';

/**
 * A set of an object's fields, as `metadata.managedFields` has it (FieldsV1 of server-side apply): `f:name` for a member, `k:{…}` for an item of a
 * list by its keys, `v:…` for one by its value, `.` for the thing itself. An empty member stands for all that is in it.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
export type FieldSet = Readonly<Record<string, unknown>>;

/** One entry of `metadata.managedFields`. */
export interface FieldOwner {
  manager: string;
  operation: string;
  apiVersion: string;
  /** It was written by way of `status` or `scale`. */
  subresource?: string | undefined;
  time?: string | undefined;
  fieldsV1: FieldSet;
  [field: string]: unknown;
}

export const fieldOwners = (managedFields: unknown): FieldOwner[] =>
  (Array.isArray(managedFields) ? managedFields : []).filter(
    (entry): entry is FieldOwner => isObject(entry) && typeof entry.manager === 'string' && isObject(entry.fieldsV1),
  );

/** The fields of one set that are not in the other; undefined if there are none. */
export function difference(fields: FieldSet, others: FieldSet): FieldSet | undefined {
  return fromEntries(
    Object.entries(fields).flatMap(([name, inner]): [string, unknown][] => {
      if (!Object.hasOwn(others, name)) return [[name, inner]];
      const theirs = others[name];
      if (!isSet(inner) || !isSet(theirs)) return isSet(inner) ? [[name, inner]] : [];
      const rest = difference(inner, theirs);
      return rest ? [[name, rest]] : [];
    }),
  );
}

/** The fields that both sets have; undefined if there are none. */
export function intersection(fields: FieldSet, others: FieldSet): FieldSet | undefined {
  return fromEntries(
    Object.entries(fields).flatMap(([name, inner]): [string, unknown][] => {
      if (!Object.hasOwn(others, name)) return [];
      const theirs = others[name];
      if (!isSet(inner) || !isSet(theirs)) return isSet(inner) === isSet(theirs) || isSet(inner) ? [[name, inner]] : [];
      const both = intersection(inner, theirs);
      return both ? [[name, both]] : [];
    }),
  );
}

export function union(fields: FieldSet, others: FieldSet): FieldSet {
  const all: Record<string, unknown> = { ...fields };
  for (const [name, inner] of Object.entries(others)) {
    const ours = Object.hasOwn(all, name) ? all[name] : undefined;
    all[name] = isSet(ours) && isSet(inner) ? union(ours, inner) : isSet(ours) ? ours : inner;
  }
  return all;
}

const isSet = (value: unknown): value is FieldSet => isObject(value) && Object.keys(value).length > 0;

const fromEntries = (entries: [string, unknown][]): FieldSet | undefined => (entries.length > 0 ? Object.fromEntries(entries) : undefined);

/**
 * What a member of a set names in a value: the name, or for an item of a list its place, and what is there. The place is undefined if there is no
 * such item, or if the member is the thing itself.
 */
export function memberOf(value: unknown, member: string): { name: string; value: unknown } | undefined {
  const [sort, text] = [member.slice(0, 2), member.slice(2)];
  if (sort === 'f:') return isObject(value) && Object.hasOwn(value, text) ? { name: text, value: value[text] } : undefined;
  if (!Array.isArray(value) || (sort !== 'k:' && sort !== 'v:')) return undefined;
  const wanted: unknown = JSON.parse(text);
  const place = value.findIndex((item) => (sort === 'v:' ? JSON.stringify(item) === text : isObject(wanted) && hasKeys(item, wanted)));
  return place < 0 ? undefined : { name: String(place), value: value[place] };
}

/** A key that the item leaves out has its default there, such as a port's protocol. */
const hasKeys = (item: unknown, keys: FieldSet): boolean =>
  isObject(item) && Object.entries(keys).every(([name, value]) => item[name] === undefined || item[name] === value);
