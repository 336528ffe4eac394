import { access, constants, mkdir, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';

/** The folder of a host's embedded engines. It is created if it is missing, checked, and locked by one host at a time. */
export interface DataFolder {
  /** Unlocks the folder for the next host. */
  release(): void;
}

const LOCK = 'host.lock';
export const STORE_FILE = 'dynamodb.sqlite';
export const QUEUE_FOLDER = 'queues';
const DATABASES = [LOCK, STORE_FILE, join(QUEUE_FOLDER, 'fauxqs.db')];
/** A start writes at least this much, the first one most of all. */
const ROOM_BYTES = 512 * 1024;
/** A folder whose check takes longer than this counts as one that doesn't answer. */
const ANSWER_MS = 10_000;
const SQLITE_BUSY = 5;

export interface DataFolderOptions {
  limitMs?: number;
  /** For tests: replaces the check of the folder before it is locked. */
  check?: (folder: string) => Promise<void>;
}

/** Opens the folder. Rejects with a message that names the folder, the reason, and what to do. */
export async function openDataFolder(
  folder: string,
  { limitMs = ANSWER_MS, check = checkFolder }: DataFolderOptions = {},
): Promise<DataFolder> {
  await within(limitMs, check(folder)).catch((cause: unknown) => {
    throw unusable(folder, reasonOf(cause, limitMs), cause);
  });
  return lockFolder(folder);
}

class Silence extends Error {}

function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const timer = setTimeout(() => reject(new Silence()), limitMs);
  work.then(resolve, reject).finally(() => clearTimeout(timer));
  return promise;
}

/** Finds faults that would fail later without a clear message, or not at all: SQLite waits for ever on a path that is not a file. */
async function checkFolder(folder: string): Promise<void> {
  // A recursive mkdir on a read-only file system fails as if a parent were missing. The plain one gives the real reason.
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch(() => mkdir(folder, { mode: 0o700 }));
  for (const name of DATABASES.flatMap((database) => ['', '-wal', '-shm', '-journal'].map((suffix) => database + suffix))) {
    const file = join(folder, name);
    const found = await stat(file).catch(ignoreMissing);
    if (!found) continue;
    if (!found.isFile()) throw new Error(`${file} is not a regular file: remove it`);
    await access(file, constants.R_OK | constants.W_OK);
  }
  const probe = join(folder, 'host.probe');
  const handle = await open(probe, 'w', 0o600);
  try {
    await handle.writeFile(Buffer.alloc(ROOM_BYTES, 1));
    await handle.sync();
  } finally {
    await handle.close();
    await rm(probe, { force: true });
  }
}

/**
 * Locks the folder for one host: the queue engine keeps its messages in memory and would overwrite those of another. The lock is a
 * SQLite file in an exclusive transaction, which the operating system releases when its holder dies, however it dies.
 */
function lockFolder(folder: string): DataFolder {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(join(folder, LOCK));
    lock.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
  } catch (cause) {
    lock?.close();
    if (SqliteFailure.safeParse(cause).data?.errcode === SQLITE_BUSY) {
      throw new Error(`another host is using ${folder}: stop it first, or give this one another BROKKR_DATA_DIR`, { cause });
    }
    throw unusable(folder, reasonOf(cause, ANSWER_MS), cause);
  }
  const held = lock;
  return { release: () => held.close() };
}

function ignoreMissing(error: unknown): undefined {
  if (SystemFailure.safeParse(error).data?.code !== 'ENOENT') throw error;
}

const SqliteFailure = z.object({ errcode: z.number() });
const SystemFailure = z.object({ code: z.string(), path: z.string().optional() });

const unusable = (folder: string, reason: string, cause: unknown): Error =>
  new Error(`the data folder ${folder} can't be used: ${reason}, or give another BROKKR_DATA_DIR`, { cause });

/** The reason of a failure and what to do. */
function reasonOf(cause: unknown, limitMs: number): string {
  if (cause instanceof Silence) return `it has not answered within ${limitMs / 1_000} s: see that its drive is there`;
  const { code, path } = SystemFailure.safeParse(cause).data ?? {};
  const named = code !== undefined ? REASONS[code] : undefined;
  if (named !== undefined) return named(path);
  return cause instanceof Error ? cause.message : String(cause);
}

const makeRoom = () => 'its disk is full: make room there';
const REASONS: Readonly<Record<string, (path: string | undefined) => string>> = {
  ENOSPC: makeRoom,
  EDQUOT: makeRoom,
  EFBIG: () => 'files there may not grow to what a start needs: raise the limit of file sizes (ulimit -f)',
  EROFS: () => 'it is on a read-only file system: mount that for writing',
  EACCES: notPermitted,
  EPERM: notPermitted,
  ENOTDIR: (path) => `a part of the path is a file and no folder (${path}): remove it`,
  EEXIST: (path) => `there is a file in its place (${path}): remove it`,
};

function notPermitted(path: string | undefined): string {
  return `user ${process.getuid?.() ?? ''} may not write ${path}: make that user its owner`;
}
