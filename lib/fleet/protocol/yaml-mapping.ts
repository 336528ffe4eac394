/** A mapping that is being read. */
export interface MappingReader {
  value: Record<string, unknown>;
  /** Returns false if the mapping has this name already. */
  add(name: string, value: unknown): boolean;
  /** Handles `<<: value`: takes over the members of another mapping. */
  merge(other: Record<string, unknown>): void;
}

/**
 * Merges as kubectl does, in the order of the text: merged members replace members before `<<`, and members after `<<` replace merged
 * ones. By YAML's own rule, all of the mapping's own keys would win.
 */
export function createMappingReader(): MappingReader {
  const value: Record<string, unknown> = {};
  let merged: Set<string> | undefined;
  return {
    value,
    add(name, item) {
      if (Object.hasOwn(value, name) && !merged?.delete(name)) return false;
      set(value, name, item);
      return true;
    },
    merge(other) {
      merged ??= new Set();
      for (const [name, item] of Object.entries(other)) {
        if (!Object.hasOwn(value, name)) merged.add(name);
        set(value, name, item);
      }
    },
  };
}

function set(record: Record<string, unknown>, name: string, value: unknown): void {
  // A plain assignment to `__proto__` would change the prototype instead of adding a key.
  if (name === '__proto__') Object.defineProperty(record, name, { value, enumerable: true, configurable: true, writable: true });
  else record[name] = value;
}
