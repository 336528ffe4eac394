/** A mapping while it is read. */
export interface MappingReader {
  value: Record<string, unknown>;
  /** Returns false if the name was given before. */
  add(name: string, value: unknown): boolean;
  /** `<<: value`: takes over what another mapping holds. */
  merge(other: Record<string, unknown>): void;
}

/**
 * Merges as kubectl does, in the order of the text: what is merged replaces what stands before `<<`, and what stands after it replaces
 * what was merged. YAML itself would let all own keys win.
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
  // Assigned plainly, `__proto__` would change the object's prototype instead of becoming a key.
  if (name === '__proto__') Object.defineProperty(record, name, { value, enumerable: true, configurable: true, writable: true });
  else record[name] = value;
}
