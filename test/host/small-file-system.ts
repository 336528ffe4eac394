import { execFile } from 'node:child_process';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A file system of its own, in memory. */
export interface SmallFileSystem {
  folder: string;
  remountReadOnly(): Promise<void>;
  unmount(): Promise<void>;
}

/** Mounts a new file system. The user must have the right to mount. */
export async function mountSmallFileSystem(size: string): Promise<SmallFileSystem> {
  const folder = await mkdtemp(join(tmpdir(), 'brokkr-small-'));
  await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
  return {
    folder,
    remountReadOnly: async () => void (await run('mount', ['-o', 'remount,ro', folder])),
    async unmount() {
      await run('umount', ['--lazy', folder]);
      await rmdir(folder);
    },
  };
}

/** Whether this user may mount file systems. */
export async function mayMount(): Promise<boolean> {
  try {
    await (await mountSmallFileSystem('64k')).unmount();
    return true;
  } catch {
    return false;
  }
}
