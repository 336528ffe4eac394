import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { constants, setPriority } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newId } from '../../lib/platform/ids.ts';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
/** As in typedoc.json: what the reference is made of. */
const SOURCES = ['functions', 'lib', 'agent', 'infra/host'];
/** A build takes about ten seconds; one that takes so much longer is ended. */
const BUILD_MS = 180_000;

/** TypeDoc's program; undefined where only what the server needs to run is installed. */
export function findTypedoc(): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('typedoc/package.json')), 'bin/typedoc');
  } catch {
    return undefined;
  }
}

/** Whether the folder holds a reference that is not older than the code. Where the code itself is not there, any reference will do. */
export async function isReferenceCurrent(folder: string): Promise<boolean> {
  const built = await modifiedMs(join(folder, 'index.html'));
  return built !== undefined && built >= (await newestSourceMs());
}

/**
 * Builds the code's reference into the folder, in a process of its own that leaves the processor to others. The folder is replaced at
 * the end, so that readers meet a whole reference or none. Rejects with what TypeDoc has said.
 */
export async function buildReference(folder: string, typedoc: string, sources: readonly string[] = SOURCES): Promise<void> {
  const beside = (what: string) => join(dirname(folder), `${basename(folder)}-${what}-${newId()}`);
  const [fresh, old] = [beside('fresh'), beside('old')];
  const entryPoints = sources.flatMap((source) => ['--entryPoints', source]);
  try {
    await run([typedoc, '--out', fresh, '--logLevel', 'Error', ...entryPoints]);
    if (existsSync(folder)) await rename(folder, old);
    await rename(fresh, folder);
  } finally {
    for (const leftover of [fresh, old]) await rm(leftover, { recursive: true, force: true });
  }
}

function run(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: PROJECT, stdio: ['ignore', 'pipe', 'pipe'], timeout: BUILD_MS });
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        said = (said + chunk).slice(-2_000);
      });
    }
    child.once('error', reject);
    child.once('close', (code, signal) => (code === 0 ? resolve() : reject(new Error(`TypeDoc ended with ${signal ?? code}: ${said}`))));
  });
}

async function newestSourceMs(): Promise<number> {
  const lists = await Promise.all(
    SOURCES.map(async (source) => {
      const folder = join(PROJECT, source);
      const names = await readdir(folder, { recursive: true }).catch(() => []);
      return names.filter((name) => name.endsWith('.ts')).map((name) => join(folder, name));
    }),
  );
  const times = await Promise.all([...lists.flat(), join(PROJECT, 'typedoc.json')].map(modifiedMs));
  return Math.max(0, ...times.filter((time) => time !== undefined));
}

const modifiedMs = (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
