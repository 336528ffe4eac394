import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A small folder of texts. Names are kebab-case or hexadecimal, with slashes between folders. */
export interface StateFiles {
  /** Undefined if there is none. */
  read(name: string): Promise<string | undefined>;
  /** All or nothing: a reader sees the old text or the new one. */
  write(name: string, text: string): Promise<void>;
  remove(name: string): Promise<void>;
  list(folder: string): Promise<string[]>;
}

/** Longer than any disk that works takes for one small file. */
const ANSWER_MS = 20_000;

/**
 * On disk. A folder that hangs (a network drive that is away) fails each call within a limit, and further calls at once until it answers
 * again: a call that hangs holds one of the few threads that all file and name look-ups share.
 */
export function createStateFiles(directory: string, { limitMs = ANSWER_MS }: { limitMs?: number } = {}): StateFiles {
  let written = 0;
  const path = (name: string) => join(directory, name);
  const bounded = boundedCalls(directory, limitMs);
  return {
    read: (name) =>
      bounded(async () => {
        try {
          // Opening a pipe would wait for somebody to write to it.
          if (!(await stat(path(name))).isFile()) throw new Error(`${path(name)} is not a regular file: remove it`);
          return await readFile(path(name), 'utf8');
        } catch (error) {
          if (isMissing(error)) return undefined;
          throw error;
        }
      }),
    write: (name, text) =>
      bounded(async () => {
        const temporary = `${path(name)}.${process.pid}-${++written}.tmp`;
        await mkdir(join(path(name), '..'), { recursive: true });
        try {
          await writeFile(temporary, text, { mode: 0o600, flush: true });
          await rename(temporary, path(name));
        } catch (error) {
          await rm(temporary, { force: true });
          throw error;
        }
      }),
    remove: (name) => bounded(() => rm(path(name), { force: true })),
    list: (folder) =>
      bounded(async () => {
        try {
          return (await readdir(path(folder))).filter((name) => !name.endsWith('.tmp'));
        } catch (error) {
          if (isMissing(error)) return [];
          throw error;
        }
      }),
  };
}

/** Rejects what takes longer than the limit, and everything asked for while that is still under way. */
export function boundedCalls(directory: string, limitMs: number): <T>(call: () => Promise<T>) => Promise<T> {
  let hanging = 0;
  const silent = () => new Error(`the state folder ${directory} has not answered within ${limitMs / 1_000} s: see that its drive is there`);
  return async (call) => {
    if (hanging > 0) throw silent();
    let isLate = false;
    const working = call().finally(() => {
      clearTimeout(timer);
      if (isLate) hanging--;
    });
    const { promise: limit, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      isLate = true;
      hanging++;
      reject(silent());
    }, limitMs);
    return Promise.race([working, limit]);
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

const isMissing = (error: unknown): boolean => typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
