import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { constants, setPriority } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newId } from '../../lib/platform/ids.ts';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
/** The folders that the reference describes, as in typedoc.json. */
const SOURCES = ['functions', 'lib', 'agent', 'infra/host'];
/** A build takes about ten seconds; after this time it is ended. */
const BUILD_MS = 180_000;

/** The path of TypeDoc's program; undefined if the development packages are not installed. */
export function findTypedoc(): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('typedoc/package.json')), 'bin/typedoc');
  } catch {
    return undefined;
  }
}

/** Whether the folder contains a reference that is not older than the code. If there is no code, any reference is current. */
export async function isReferenceCurrent(folder: string): Promise<boolean> {
  const built = await modifiedMs(join(folder, 'index.html'));
  return built !== undefined && built >= (await newestSourceMs());
}

/**
 * Builds the code's reference into the folder, in a process of low priority. The folder is replaced at the end, so that readers see a
 * whole reference or none. Rejects with TypeDoc's output.
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
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output = (output + chunk).slice(-2_000);
      });
    }
    child.once('error', reject);
    child.once('close', (code, signal) => (code === 0 ? resolve() : reject(new Error(`TypeDoc ended with ${signal ?? code}: ${output}`))));
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
