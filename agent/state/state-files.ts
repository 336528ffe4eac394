import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A small folder of texts. Names are kebab-case or hexadecimal, with slashes between folders. */
export interface StateFiles {
  /** Undefined where there is none. */
  read(name: string): Promise<string | undefined>;
  /** All or nothing: a reader sees the old text or the new one. */
  write(name: string, text: string): Promise<void>;
  remove(name: string): Promise<void>;
  list(folder: string): Promise<string[]>;
}

export function createStateFiles(directory: string): StateFiles {
  let written = 0;
  const path = (name: string) => join(directory, name);
  return {
    async read(name) {
      try {
        return await readFile(path(name), 'utf8');
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    async write(name, text) {
      const temporary = `${path(name)}.${process.pid}-${++written}.tmp`;
      await mkdir(join(path(name), '..'), { recursive: true });
      try {
        await writeFile(temporary, text, { mode: 0o600, flush: true });
        await rename(temporary, path(name));
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },
    remove: (name) => rm(path(name), { force: true }),
    async list(folder) {
      try {
        return (await readdir(path(folder))).filter((name) => !name.endsWith('.tmp'));
      } catch (error) {
        if (isMissing(error)) return [];
        throw error;
      }
    },
  };
}

/** For trying things out and for tests: forgets everything with the process. */
export function createMemoryFiles(): StateFiles {
  const files = new Map<string, string>();
  return {
    read: async (name) => files.get(name),
    write: async (name, text) => void files.set(name, text),
    remove: async (name) => void files.delete(name),
    list: async (folder) => [...files.keys()].filter((name) => name.startsWith(`${folder}/`)).map((name) => name.slice(folder.length + 1)),
  };
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';
